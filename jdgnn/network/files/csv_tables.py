"""Tables in CSV files that anybody may have written."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from jdgnn.network.files.tables import Table
from jdgnn.regular_files import read_regular

MOST_BYTES = 2**28
"""Of a file: its cells take a multiple of that once they are read."""

SEPARATORS = {".csv": ",", ".tsv": "\t"}

SEPARATES = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""What people separate columns by, in words."""


def read_csv(argument: str, path: Path, *, needed: tuple[str, ...], without_header: tuple[str, ...] = ()) -> Table:
    r"""Reads a CSV file, or a TSV file by its suffix.

    Args:
      argument: what the table was given as, for messages.
      path: the file: UTF-8, a name for each column in its first line.
      needed: columns, of which a header has one at least.
      without_header: what to call the columns if the first line names none of those, in order; empty where a header
        must be there.

    Returns:
      The table, of texts.

    Raises:
      InputError: the file cannot be read, is empty, too large or not UTF-8, its rows differ in length, or two columns
        have the same name.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     path = Path(folder) / "edges.csv"
      ...     _ = path.write_text("a,b\nb,c\n")
      ...     read_csv("edges", path, needed=("source",), without_header=("source", "target")).columns
      {'source': ['a', 'b'], 'target': ['b', 'c']}
    """
    table = Table(argument, str(path), {})
    rows = _rows(table, path)
    first, header = next(rows, (0, []))
    if not header:
        table.refuse("is empty; write a line with the names of the columns, and one for each row")
    names = [name.strip() for name in header]
    _check_separator(table, names, SEPARATORS[path.suffix.lower()])
    has_header = not without_header or bool(set(needed) & set(names))
    if not has_header:
        if not 2 <= len(names) <= len(without_header):
            table.refuse(
                f"its first line has {len(names)} columns and names none of {', '.join(needed)}; separate columns by "
                f"{SEPARATES[SEPARATORS[path.suffix.lower()]]}, and write a header such as "
                f"{','.join(without_header[:2])}"
            )
        names = list(without_header[: len(names)])
    for name in names:
        if not name or names.count(name) > 1:
            table.refuse(
                f"its first line has {'a column without a name' if not name else f'{name!r} twice'}; mend that"
            )
    lines, cells = ([], []) if has_header else ([first], [header])
    for line, row in rows:
        lines.append(line)
        cells.append(row)
    columns = list(map(list, zip(*cells, strict=True))) if cells else [[] for _ in names]
    return Table(argument, str(path), dict(zip(names, columns, strict=True)), lines)


def _check_separator(table: Table, names: list[str], separator: str) -> None:
    others = [other for other in SEPARATES if other != separator and len(names) == 1 and other in names[0]]
    if others:
        table.refuse(
            f"its first line is one column, {names[0][:60]!r}, which looks like columns separated by "
            f"{SEPARATES[others[0]]}; separate them by {SEPARATES[separator]}"
        )


def _rows(table: Table, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row, of which all have as many."""
    width = None
    try:
        text = read_regular(path, MOST_BYTES).decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=SEPARATORS[path.suffix.lower()], strict=True)
        for row in reader:
            if not row:
                continue
            width = len(row) if width is None else width
            if len(row) != width:
                table._replace(lines=[reader.line_num]).refuse(f"has {len(row)} columns, and the first line {width}", 0)
            yield reader.line_num, row
    except FileNotFoundError as error:
        table.refuse(f"cannot be read ({error.strerror}); paths in a configuration begin at its folder")
    except OSError as error:
        table.refuse(f"cannot be read ({error.strerror}); give a file of at most {MOST_BYTES:,} bytes, or an .npz")
    except UnicodeDecodeError as error:
        table.refuse(f"is not UTF-8 text (byte {error.start}); save it as UTF-8")
    except csv.Error as error:
        table.refuse(f"is no CSV ({error}); quotes must be closed, and quotes in a quoted cell doubled")
