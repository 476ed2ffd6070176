"""Small tables that name nodes, from a CSV file, a data frame, or rows."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jdgnn.errors import InputError
from jdgnn.files import read_bytes
from jdgnn.network.identifiers import identifier

MOST_BYTES = 2**26


class NamedRow(NamedTuple):
    """One row of a table whose first column names a node."""

    where: str  # for error messages
    node: str
    cells: tuple[Any, ...]  # of the other columns


def named_rows(argument: str, given: Any, columns: tuple[str, ...]) -> list[NamedRow]:
    """Reads a table whose first column names nodes, which are not looked up in any network yet.

    Args:
      argument: the name of the argument, for error messages.
      given: the path of a CSV file whose first line holds these columns, in any order; a data frame with them; or rows.
      columns: names of all columns, `node` first.

    Raises:
      InputError: the table cannot be read, has other columns or no row, or a row names no node.

    Example:
      >>> named_rows("groups", [("ann", 0), ("bob", 1)], ("node", "group"))[1]
      NamedRow(where='groups: line 3', node='bob', cells=(1,))
    """
    is_file = given is None or isinstance(given, str | os.PathLike)
    place = f"{argument}: {given}" if is_file else argument
    lines = iter(_lines_of_file(place, given) if is_file else _lines_of_table(argument, given, columns))
    header = [str(name).strip() for name in next(lines, [])]
    if sorted(header) != sorted(columns):
        raise InputError(f"{place}: expected the columns {', '.join(columns)} in its first line, got {header}")
    order = [header.index(name) for name in columns]
    rows = [_row(f"{place}: line {line}", row, order) for line, row in enumerate(lines, start=2) if len(row)]
    if not rows:
        raise InputError(f"{place} has no row; write lines with {','.join(columns)}")
    return rows


def _row(where: str, row: Sequence[Any], order: list[int]) -> NamedRow:
    if len(row) != len(order):
        raise InputError(f"{where}: expected {len(order)} entries, got {len(row)}")
    node, *cells = (row[place] for place in order)
    name = identifier(node)
    if not name:
        raise InputError(f"{where}: node: expected the name of a node, got nothing")
    return NamedRow(where, name, tuple(cells))


def _lines_of_file(place: str, path: Any) -> Iterable[Sequence[Any]]:
    try:
        text = read_bytes(Path(path), MOST_BYTES).decode("utf-8-sig")
        yield from csv.reader(io.StringIO(text, newline=""))
    except (OSError, TypeError, ValueError, csv.Error) as error:
        raise InputError(f"{place} cannot be read as a CSV file ({error})") from error


def _lines_of_table(argument: str, table: Any, columns: tuple[str, ...]) -> Iterable[Sequence[Any]]:
    if hasattr(table, "columns") and hasattr(table, "to_numpy"):
        yield list(table.columns)
        table = table.to_numpy(object)
    else:
        yield columns
    rows = table.tolist() if hasattr(table, "tolist") else table
    if not isinstance(rows, list | tuple) or not all(isinstance(row, list | tuple) for row in rows):
        wanted = ", ".join(columns)
        raise InputError(
            f"{argument}: expected a CSV file, a data frame, or rows ({wanted}), got {type(table).__name__}"
        )
    yield from rows
