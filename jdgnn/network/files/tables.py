"""Two tables, who is there and who is linked, as a network: what files and data frames have in common."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.network.arguments import check_name
from jdgnn.network.network import Network, Splits, from_edges

PARTS = ("train", "validation", "test")

NOTHINGS = ("na", "n/a", "nan", "null", "none", "-", "?", "inf", "-inf")
"""What people write where they know no number."""


class Categories(NamedTuple):
    """A column of few different values, in an order of their own."""

    codes: NDArray[np.integer]  # [rows], -1 where there is none
    names: tuple[str, ...]


Column = Sequence[Any] | NDArray[Any] | Categories


class Table(NamedTuple):
    """A table, and how errors should name its places.

    Attributes:
      argument: what it was given as, `edges` or `nodes`.
      path: its file; empty if there is none.
      columns: as many values in each.
      lines: line of each row in the file; without one, rows are numbered from 0.
    """

    argument: str
    path: str
    columns: dict[str, Column]
    lines: Sequence[int] | None = None

    @property
    def named(self) -> str:
        """What to call it in a sentence."""
        return self.path or self.argument

    @property
    def num_rows(self) -> int:
        """Rows below the header."""
        return max((len(_values(column)) for column in self.columns.values()), default=0)

    def refuse(self, text: str, row: int | None = None) -> NoReturn:
        """Raises an InputError that says where."""
        place = [] if row is None else [f"row {row}" if self.lines is None else f"line {self.lines[row]}"]
        parts = ([self.path] if self.path else []) + place
        raise InputError(f"{self.argument}: {', '.join(parts)}: {text}" if parts else f"{self.argument}: {text}")


class Columns(NamedTuple):
    """Which columns hold what."""

    sender: str = "source"
    receiver: str = "target"
    link_quality: str = "quality"
    node: str = "id"
    label: str = "label"
    split: str = "split"


def network_of(
    edges: Table, nodes: Table, columns: Columns, *, undirected: bool, allow_no_edges: bool, name: str
) -> Network:
    """Makes a network of a table of nodes and one of edges.

    Args:
      edges: a row for each edge.
      nodes: a row for each node; columns that `columns` does not name are its features.
      columns: which columns hold what.
      undirected: also add every edge in the other direction.
      allow_no_edges: accept a network of several nodes that are all isolated.
      name: what tables call the network.

    Returns:
      The network; nodes are numbered in the order of their rows.

    Raises:
      InputError: a column is missing or nobody would read it, an id is unknown or stands twice, or a value makes no
        sense; the message names the place.

    Example:
      >>> edges = Table("edges", "", {"source": ["a", "b"], "target": ["b", "c"]})
      >>> nodes = Table("nodes", "", {"id": ["a", "b", "c"], "load": [0.1, 0.5, 0.2]})
      >>> network_of(edges, nodes, Columns(), undirected=True, allow_no_edges=False, name="office")
      Network('office': 3 nodes, 4 directed edges, 1 features, no labels)
    """
    for argument, column in columns._asdict().items():
        check_name(argument, column)
    number = _numbers_of_nodes(nodes, columns)
    labels, class_names = classes_of(nodes, columns.label)
    splits = _splits(nodes, columns.split)
    features = _features(nodes, columns)
    ends = _ends(edges, columns, number, nodes.named)
    names = tuple(number)
    return from_edges(
        ends[0],
        ends[1],
        features,
        labels=labels,
        splits=splits,
        link_quality=_quality(edges, columns.link_quality),
        undirected=undirected,
        allow_no_edges=allow_no_edges,
        name=name,
        class_names=class_names,
        node_names=() if names == tuple(map(str, range(len(names)))) else names,
    )


def _needed(table: Table, argument: str, column: str) -> Column:
    if column not in table.columns:
        shown = ", ".join(map(repr, table.columns)) or "none"
        hint = "; columns are separated by commas" if table.path and len(table.columns) == 1 else ""
        table.refuse(f"there is no column {column!r} (there are {shown}); name the one meant: {argument} = ...{hint}")
    return table.columns[column]


def _values(column: Column) -> Any:
    return column.codes if isinstance(column, Categories) else column


def _numbers_of_nodes(nodes: Table, columns: Columns) -> dict[str, int]:
    if not nodes.num_rows:
        nodes.refuse("holds no node; write a row for each")
    names = ids_of(nodes, "node", columns.node)
    number = {name: v for v, name in enumerate(names)}
    if len(number) < len(names):
        row = next(v for v, name in enumerate(names) if number[name] != v)
        nodes.refuse(f"node {names[row]!r} stands there again further down; give each node one row", row)
    return number


def ids_of(table: Table, argument: str, column: str) -> list[str]:
    """What nodes are called, as text."""
    values = _texts(_needed(table, argument, column))
    for row, value in enumerate(values):
        if value is None or isinstance(value, float):
            given = "nothing" if value is None else f"the number {value}"
            table.refuse(f"{column} is {given}, and a text or a whole number is needed", row)
    return [str(value) for value in values]


def _texts(column: Column) -> list[Any]:
    """Values as Python has them; None where there is none."""
    if isinstance(column, Categories):
        return [None if code < 0 else column.names[code] for code in column.codes.tolist()]
    values = column.tolist() if isinstance(column, np.ndarray) else column
    stripped = (value.strip() if isinstance(value, str) else value for value in values)
    return [None if _is_missing(value) else value for value in stripped]


def _is_missing(value: Any) -> bool:
    is_nothing = value is None or (isinstance(value, str) and not value)
    return is_nothing or (isinstance(value, float) and value != value) or type(value).__name__ in ("NAType", "NaTType")


def _features(nodes: Table, columns: Columns) -> NDArray[np.floating]:
    others = (columns.node, columns.label, *_split_columns(nodes, columns))
    names = [name for name in nodes.columns if name not in others]
    if not names:
        nodes.refuse("there is no column of features; write one at least, a node's degree if it measures nothing")
    return matrix_of(nodes, names)


def matrix_of(table: Table, names: list[str]) -> NDArray[np.floating]:
    """Columns of finite numbers side by side [rows, columns], as float64 where one of them is."""
    typed = [column.dtype for name in names if isinstance(column := table.columns[name], np.ndarray)]
    dtype = np.float64 if np.dtype(np.float64) in typed else np.float32
    return np.stack([_numbers(table, name, dtype) for name in names], axis=1)


def _numbers(table: Table, name: str, dtype: type) -> NDArray[Any]:
    """A column of finite numbers."""
    column = table.columns[name]
    is_number = isinstance(column, np.ndarray) and column.dtype.kind in "biuf"
    values = column if is_number else _texts(column)
    try:
        with np.errstate(over="ignore"):
            numbers: NDArray[Any] = np.asarray(values, np.float64).astype(dtype)
    except (TypeError, ValueError):
        row = next(row for row, value in enumerate(values) if not _is_number(value))
        given = "nothing" if values[row] is None else repr(values[row])
        table.refuse(f"{name} is {given}, and a number is needed; {_remedy(values[row])}", row)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        row = int(bad[0])
        given = "nothing" if values[row] is None else str(values[row])
        table.refuse(f"{name} is {given}, and a finite number is needed; {_remedy(values[row])}", row)
    return numbers


def _remedy(value: Any) -> str:
    """What to write in place of a value that is no number."""
    if value is None or str(value).lower() in NOTHINGS or isinstance(value, float):
        return "fill what is missing, as by the mean of its column, or leave the row or the column out"
    return "write a category as one column of 0 and 1 for each of its values, or leave the column out"


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def classes_of(nodes: Table, name: str) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Classes 0, 1, … as they are; else numbered in order, with their names."""
    if name not in nodes.columns:
        if name != Columns().label:
            _needed(nodes, "label", name)
        return None, ()
    column = nodes.columns[name]
    values = _texts(column)
    for row, value in enumerate(values):
        if value is None:
            nodes.refuse(f"{name} is nothing; write a class of its own for such nodes, and put them in no split", row)
        if not isinstance(value, str | int) or (isinstance(value, str) and _is_fraction(value)):
            nodes.refuse(f"{name} is {value}, and classes are whole numbers or texts", row)
        if re.fullmatch(r"-\d+", str(value), re.ASCII):
            nodes.refuse(f"{name} is {value}; write a class of its own for nodes whose class is not known", row)
    if isinstance(column, Categories):
        return column.codes.astype(np.int64), column.names
    texts = list(map(str, values))
    are_numbers = all(re.fullmatch(r"\d{1,18}", text, re.ASCII) for text in texts)
    if are_numbers and {int(text) for text in texts} == set(range(len(set(texts)))):
        return np.array(list(map(int, texts))), ()
    class_names = sorted(set(texts), key=int if are_numbers else None)
    number = {text: index for index, text in enumerate(class_names)}
    return np.array([number[text] for text in texts]), tuple(class_names)


def _is_fraction(text: str) -> bool:
    return re.fullmatch(r"-?\d*\.\d+(e-?\d+)?", text, re.ASCII) is not None


def _split_columns(nodes: Table, columns: Columns) -> list[str]:
    """One column, or several with numbers after its name."""
    if columns.split in nodes.columns:
        return [columns.split]
    return [name for name in nodes.columns if re.fullmatch(re.escape(columns.split) + r"_\d+", name, re.ASCII)]


def _splits(nodes: Table, name: str) -> Splits | None:
    found = _split_columns(nodes, Columns(split=name))
    if not found:
        if name != Columns().split:
            _needed(nodes, "split", name)
        return None
    masks = np.zeros((len(PARTS), len(found), nodes.num_rows), bool)
    for split, column in enumerate(found):
        for row, value in enumerate(_texts(nodes.columns[column])):
            if value is not None and value not in PARTS:
                nodes.refuse(f"{column} is {value!r}, and {', '.join(PARTS)}, or nothing, is needed", row)
            if value is not None:
                masks[PARTS.index(value), split, row] = True
        for part in ("train", "test"):
            if not masks[PARTS.index(part), split].any():
                nodes.refuse(f"{column} has no node for {part}; write it at some, or leave the column out")
    return Splits(**dict(zip(PARTS, masks, strict=True)))


def _ends(edges: Table, columns: Columns, number: dict[str, int], nodes: str) -> list[NDArray[np.int64]]:
    known = (columns.sender, columns.receiver, columns.link_quality)
    needed = [ids_of(edges, "sender", columns.sender), ids_of(edges, "receiver", columns.receiver)]
    for name in edges.columns:
        if name not in known:
            edges.refuse(
                f"nothing reads the column {name!r}, as links have no weights; remove it, or write link_quality = "
                f"{name!r} if it is the probability that a message gets through"
            )
    for name, ends in zip(known, needed, strict=False):
        for row, end in enumerate(ends):
            if end not in number:
                first = [one[0] for one in needed]
                hint = f", or, if these are names of columns, write sender = {first[0]!r}, receiver = {first[1]!r}"
                edges.refuse(
                    f"{name} is {end!r}, and {nodes} has no such node; add a row for it there"
                    + (hint if edges.path and not row else ""),
                    row,
                )
    return [np.array([number[end] for end in ends], np.int64) for ends in needed]


def _quality(edges: Table, name: str) -> NDArray[np.float32] | None:
    if name not in edges.columns:
        if name != Columns().link_quality:
            _needed(edges, "link_quality", name)
        return None
    quality = _numbers(edges, name, np.float32)
    bad = np.flatnonzero((quality < 0) | (quality > 1))
    if len(bad):
        edges.refuse(f"{name} is {quality[bad[0]]}, and a probability from 0 to 1 is needed", int(bad[0]))
    return quality
