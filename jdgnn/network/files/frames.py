"""Files that hold a table, as pandas data frames: text, Excel, Parquet; and JSON, which holds two."""

import contextlib
import csv
import functools
import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from jdgnn.errors import InputError
from jdgnn.files import read_bytes
from jdgnn.network.columns import is_text
from jdgnn.network.identifiers import identifier
from jdgnn.network.problems import listed
from jdgnn.network.tables import Table, with_names

MOST_BYTES = 2**28
"""Of a file, and of what is packed in it: cells take a multiple of that once they are read."""

MOST_CELLS = 2**28
"""Rows times columns: a few bytes can stand for any number of equal ones."""

LONGEST_REASON = 200
"""Characters of what a library says of a damaged file."""

SHEETS = {".xlsx": "openpyxl", ".xlsm": "openpyxl", ".xls": "xlrd", ".ods": "odfpy"}
SEPARATES = {",": "commas", ";": "semicolons", "\t": "tabs", r"\s+": "blanks"}
DECIMAL_COMMA = r"[+-]?\d*,\d+([eE][+-]?\d+)?"


class Source(NamedTuple):
    """A file that is being read."""

    argument: str
    path: Path

    def reject(self, text: str) -> NoReturn:
        """Raises an InputError that names the file."""
        raise InputError(f"{self.argument}: {self.path}: {text}")

    @contextlib.contextmanager
    def reading(self, what: str, library: str = "") -> Iterator[None]:
        """Makes one InputError of whatever is raised where a file is damaged, or where a library is missing."""
        try:
            yield
        except (InputError, MemoryError):
            raise
        except ImportError as error:
            advice = f"write pip install {library}, or save it as CSV"
            raise InputError(f"{self.argument}: {self.path.suffix} needs {library}; {advice}") from error
        except OSError as error:
            advice = "; paths in a configuration begin at its folder" if isinstance(error, FileNotFoundError) else ""
            self.reject(f"cannot be read ({error.strerror or error}){advice}")
        except Exception as error:
            reason = str(error).split("\n")[0] or type(error).__name__
            self.reject(f"is no sound {what} ({reason[:LONGEST_REASON]})")

    def content(self) -> bytes:
        """All of it, unpacked; rejected if that is too long."""
        with self.reading(".gz"):
            content = read_bytes(self.path, MOST_BYTES)
            if self.path.suffix.lower() == ".gz":
                content = gzip.GzipFile(fileobj=io.BytesIO(content)).read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            self.reject(f"holds more than {MOST_BYTES:,} bytes; write the network as an .npz")
        return content

    def text(self) -> str:
        """All of it as text."""
        try:
            return self.content().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.reject(f"is not UTF-8 text (byte {error.start}); save it as UTF-8, as in CSV UTF-8 of Excel")


def suffix_of(path: Path) -> str:
    """The suffix that says the format, in small letters, whether or not the file is packed as `.gz`.

    >>> suffix_of(Path("a.CSV.gz"))
    '.csv'
    """
    return Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()


def read_table(argument: str, path: Path, is_header: Callable[[Sequence[str]], bool]) -> Table:
    r"""Reads a file that holds one table, by its suffix; InputError if it cannot be read, or is none.

    Text, whose cells remain texts, may be separated by commas, semicolons, tabs or blanks, begin with comments (`#` or
    `%`), and be packed as `.gz`. Numbers with decimal commas are read where the separator is none. `is_header` says
    whether these are names of columns, or else a row; it is asked of the first line, and of the last comment before it.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     path = Path(folder) / "edges.txt"
      ...     _ = path.write_text("# FromNodeId ToNodeId\n0\t1\n1\t2\n")
      ...     read_table("edges", path, lambda names: "FromNodeId" in names).frame.to_dict("list")
      {'FromNodeId': ['0', '1'], 'ToNodeId': ['1', '2']}
    """
    source, suffix = Source(argument, path), suffix_of(path)
    if suffix == ".parquet":
        return _read_parquet(source)
    if suffix in SHEETS:
        return _read_sheet(source, SHEETS[suffix])
    if suffix in (".npz", ".npy", ".json", ".gml", ".graphml", ".mtx"):
        source.reject(
            f"expected a table, got {suffix}; write {'archive' if suffix == '.npz' else 'graph'} = ... for a file that "
            "holds the whole network"
        )
    return _read_text(source, is_header)


def _read_text(source: Source, is_header: Callable[[Sequence[str]], bool]) -> Table:
    text = source.text().replace("\r\n", "\n").replace("\r", "\n")
    start = len(re.match(r"([#%].*\n|[ \t]*\n|sep=.\n)*", text).group())  # type: ignore[union-attr]
    comments = [line for line in text[:start].splitlines() if line[:1] in ("#", "%")]
    body = text[start:]
    first = body.partition("\n")[0]
    if not first.strip():
        source.reject("is empty; expected a line with the names of the columns, and one for each row")
    separator = _separator(first, suffix_of(source.path))
    header = _cells(first, separator)
    has_header = is_header(header)
    last = _cells(comments[-1].lstrip("#% ") if comments else "", r"\s+" if separator == "\t" else separator)
    is_told = not has_header and len(last) == len(header) and is_header(last)
    notes: tuple[str, ...] = ()
    if not has_header:
        body = re.sub(r"(?m)^[#%].*$", "", body)  # nothing that a row of numbers or ids begins with
        if separator == r"\s+" and re.search(r"\{.*\}\s*$", first):  # as networkx.write_edgelist leaves them
            body, notes = re.sub(r"(?m)\{.*\}[ \t]*$", "", body), ("attributes in braces were not read",)
            header = _cells(first.partition("{")[0], separator)
    if len(header) * (body.count("\n") + 1) > MOST_CELLS:
        source.reject(f"has more than {MOST_CELLS:,} cells; write the network as an .npz")
    frame, lines = _parsed(source, body, separator, len(header), text[:start].count("\n"))
    place: Callable[[int], str] = lambda row: lines(row + has_header)  # noqa: E731
    names = header if has_header else last if is_told else [str(number + 1) for number in range(len(header))]
    frame = frame.iloc[int(has_header) :].reset_index(drop=True)
    undirected = _direction(source, comments)
    table = Table(source.argument, str(source.path), frame, has_header or is_told, undirected, notes, place)
    table = with_names(table, names)
    return table if separator == "," else _without_decimal_commas(table)


def _separator(line: str, suffix: str) -> str:
    """What separates cells: whatever separates most in the first line; tabs and blanks alike in one of numbers."""
    if suffix == ".tsv":
        return "\t"
    found = max((",", ";", "\t"), key=lambda one: len(_cells(line, one)))
    words = line.split()
    has_both = found == "\t" and len(words) > len(_cells(line, found)) and not any(map(is_text, words))
    return found if found in line and not has_both else r"\s+" if len(words) > 1 else ","


def _cells(line: str, separator: str) -> list[str]:
    if separator == r"\s+":
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]


def _parsed(source: Source, body: str, separator: str, width: int, skipped: int) -> tuple[Any, Callable[[int], str]]:
    """All rows as texts, and what says where one stands."""
    import pandas

    @functools.cache
    def rows() -> list[tuple[int, int]]:
        """Line number and width of each row; none where a cell is longer than `csv` reads."""
        reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator if len(separator) == 1 else "\n")
        with contextlib.suppress(csv.Error):
            found = [(skipped + reader.line_num, row) for row in reader if len(row) > 1 or "".join(row).strip()]
            return [(line, len(row if len(separator) == 1 else row[0].split())) for line, row in found]
        return []

    def place(row: int) -> str:
        """The line of a row, if pandas and `csv` understood quotes and blank lines alike."""
        return f"line {rows()[row][0]}" if len(rows()) == len(frame) else f"row {row + 1}"

    frame, reason = pandas.DataFrame(), ""
    try:
        frame = pandas.read_csv(io.StringIO(body), sep=separator, header=None, dtype=str, na_filter=False)
    except (ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0].rpartition("error: ")[2]
    # a short row leaves its last cell empty, and a long one is an error
    is_even = not reason and frame.shape[1] == width and (frame.iloc[:, -1] != "").all()
    uneven = [f"line {line} has {count}" for line, count in ([] if is_even else rows()) if count != width]
    if uneven and "EOF" not in reason:
        wanted = f"expected {width} columns, by {SEPARATES[separator]}, as in its first line"
        source.reject(f"{wanted}; {listed(uneven, 5)}")
    if reason:
        source.reject(f"is no CSV ({reason}); quotes must be closed, and quotes in a quoted cell doubled")
    return frame, place


def _direction(source: Source, comments: list[str]) -> bool | None:
    """Whether links are undirected, as SNAP (`# Undirected graph`) and KONECT (`% sym`) say; None if unknown."""
    first = r"(?im)^[#% ]*(bip|sym|asym|undirected\s+graph|directed\s+graph)(?=[:\s]|$)"
    said = [one.lower() for one in re.findall(first, "\n".join(comments))]
    if said[:1] == ["bip"]:
        source.reject("is bipartite: the same number means another node on each side; give each a name of its own")
    return said[0].startswith(("sym", "und")) if said else None


def _without_decimal_commas(table: Table) -> Table:
    """The table with decimal points in columns of numbers with decimal commas."""
    changed, dotted = [], []
    for name in table.frame.columns:
        cells = table.frame[name].str.strip()
        if cells.str.fullmatch(r"[+-]?\d*\.\d+").any():
            dotted.append(name)
        has_comma = cells.str.fullmatch(DECIMAL_COMMA)
        if has_comma.any() and (has_comma | cells.str.fullmatch(r"[+-]?\d*|nan|NA|NaN|\?")).all():
            table.frame[name] = cells.str.replace(",", ".", regex=False)
            changed.append(name)
    told = f"decimal commas were read in {listed(changed)}"
    if dotted:
        told += f"; look at {listed(dotted)}: dots there were read as decimal points, and not as those of thousands"
    return table._replace(notes=(*table.notes, told)) if changed else table


def _read_sheet(source: Source, engine: str) -> Table:
    import pandas

    content = source.content()
    with source.reading("spreadsheet", engine):
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                if sum(entry.file_size for entry in packed.infolist()) > MOST_BYTES:
                    source.reject(f"holds more than {MOST_BYTES:,} bytes; save it as CSV")
        with pandas.ExcelFile(io.BytesIO(content)) as file:
            frame = pandas.read_excel(file, sheet_name=0, header=None, dtype=object, na_filter=False)
            sheets = list(map(str, file.sheet_names))
    num_filled = (frame != "").sum(axis=1)
    filled = frame[num_filled > 0]
    if filled.empty:
        source.reject("is empty; expected a row with the names of the columns, and one for each row")
    notes = (f"{source.path.name}: the first of {len(sheets)} sheets was read, {sheets[0]}",) if sheets[1:] else ()
    top = int(np.argmax(num_filled > 1))  # a title has one cell
    if filled.index[0] < top:
        filled = filled.loc[top:]
        notes = (*notes, f"{source.path.name}: what stands above row {top + 1} was not read")
    place: Callable[[int], str] = lambda row: f"row {filled.index[row + 1] + 1}"  # noqa: E731
    rows = filled.iloc[1:].reset_index(drop=True)
    table = Table(source.argument, str(source.path), rows, notes=notes, place=place)
    return with_names(table, [identifier(name) for name in filled.iloc[0]])


def _read_parquet(source: Source) -> Table:
    with source.reading("Parquet file", "pyarrow"):
        from pyarrow import BufferReader, parquet

        file = parquet.ParquetFile(BufferReader(source.content()))
        groups = [file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups)]
        if max(file.metadata.num_rows, sum(groups)) * file.metadata.num_columns > MOST_CELLS:
            source.reject(f"has more than {MOST_CELLS:,} cells; write the network as an .npz")
        found = file.read()
        names = found.column_names
        frame = found.rename_columns(list(map(str, range(len(names))))).to_pandas(ignore_metadata=True)
    return with_names(Table(source.argument, str(source.path), frame), [name.strip() for name in names])


def read_records(argument: str, path: Path) -> tuple[Table, Table]:
    """Reads the tables of links and of nodes that a JSON file holds, as mesh viewers and `node_link_data` write them.

    That is a list `links` or `edges`, and a list `nodes` or a table of them by id; what stands in a table inside a
    record is called `outer.inner`. InputError if the file cannot be read, or holds something else.
    """
    source = Source(argument, path)
    with source.reading("JSON"):
        found = json.loads(source.text())
    found = found if isinstance(found, dict) else {}
    links, nodes = found.get("links", found.get("edges")), found.get("nodes")
    if isinstance(nodes, dict):
        nodes = [{"id": key, **node} if isinstance(node, dict) else node for key, node in nodes.items()]
    if not isinstance(nodes, list) or not isinstance(links, list):
        source.reject("expected the lists 'nodes' and 'links'")
    directed = found.get("directed")
    undirected = not directed if isinstance(directed, bool) else None
    return _of_records(source, "links", links)._replace(undirected=undirected), _of_records(source, "nodes", nodes)


def _of_records(source: Source, name: str, rows: list[Any]) -> Table:
    bad = next((row for row, record in enumerate(rows) if not isinstance(record, dict)), None)
    if bad is not None:
        source.reject(f"{name}: expected tables, got {str(rows[bad])[:40]!r} (number {bad})")
    import pandas

    flat = [dict(_flattened("", record)) for record in rows]
    if len({key for record in flat for key in record}) * len(flat) > MOST_CELLS:
        source.reject(f"{name}: has more than {MOST_CELLS:,} cells; write the network as an .npz")
    return Table(source.argument, str(source.path), pandas.DataFrame(flat, dtype=object), place=f"{name}[{{}}]".format)


def _flattened(before: str, record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _flattened(f"{before}{key}.", value)
        else:
            yield f"{before}{key}", value
