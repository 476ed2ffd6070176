"""A recorded trace of who was online when."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from jdgnn.errors import InputError
from jdgnn.protocol.arguments import checked_whole
from jdgnn.protocol.presence.presence import Presence
from jdgnn.regular_files import read_regular

COLUMNS = ("node", "start", "end")
MOST_BYTES = 2**26


def trace(path: str | Path) -> Presence:
    r"""Nodes are online when a table says so.

    The table is a CSV file with the columns `node`, `start` and `end`, whole numbers from 0: the node is online in the
    ticks t with start ≤ t < end. Lines may stand in any order, and intervals of a node may overlap. A node has joined
    from its first start on; one that the table does not name never joins.

    Args:
      path: the file.

    Returns:
      The presence model, which remembers nothing; its `check` refuses networks without one of the nodes named.

    Raises:
      InputError: the file cannot be read or is empty, or a line makes no sense.

    Example:
      >>> import pathlib, tempfile
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     path = pathlib.Path(folder) / "trace.csv"
      ...     _ = path.write_text("node,start,end\n0,0,9\n1,2,4\n")
      ...     presence = trace(path)
      >>> [presence.sample(None, tick, 3, ())[2].tolist() for tick in (1, 2, 4)]
      [[True, False, False], [True, True, False], [True, False, False]]
    """
    lines = list(_intervals(path, _rows(path)))
    if not lines:
        raise InputError(f"path: {path} has no interval; write a line node,start,end for each time a node is online")
    line, node, start, end = np.array(lines, np.int32).T
    last = int(node.argmax())
    return Presence(
        init=_init,
        sample=Partial(_sample, node=node, start=start, end=end),
        check=Partial(_check, node=int(node[last]), line=int(line[last])),
    )


def _rows(path: str | Path) -> Iterator[list[str]]:
    try:
        text = read_regular(Path(path), MOST_BYTES).decode("utf-8-sig")
        yield from csv.reader(io.StringIO(text, newline=""))
    except (OSError, TypeError, ValueError, csv.Error) as error:
        raise InputError(f"path: {path} cannot be read as a CSV file ({error})") from error


def _intervals(path: str | Path, rows: Iterator[list[str]]) -> Iterator[tuple[int, int, int, int]]:
    """Gives line number, node, start and end of each interval."""
    header = [name.strip() for name in next(rows, [])]
    if sorted(header) != sorted(COLUMNS):
        raise InputError(
            f"path: {path} has the columns {header}, and {', '.join(COLUMNS)} are needed in its first line"
        )
    for line, row in enumerate(rows, start=2):
        if not row:
            continue
        if len(row) != len(COLUMNS):
            raise InputError(f"path: line {line} of {path} has {len(row)} entries, and {len(COLUMNS)} are needed")
        cells = dict(zip(header, row, strict=True))
        node, start, end = (_whole(f"path: {name} in line {line} of {path}", cells[name]) for name in COLUMNS)
        if end <= start:
            raise InputError(
                f"path: end in line {line} of {path}: got {end}, and a tick after start = {start} is needed"
            )
        yield line, node, start, end


def _whole(what: str, cell: str) -> int:
    try:
        value: int | str = int(cell)
    except ValueError:
        value = cell
    whole: int = checked_whole(what, value)
    return whole


def _init(key: jax.Array, num_nodes: int) -> tuple[()]:
    del key, num_nodes
    return ()


def _sample(
    key: jax.Array,
    tick: jax.Array,
    num_nodes: int,
    memory: tuple[()],
    *,
    node: jax.Array,
    start: jax.Array,
    end: jax.Array,
) -> tuple[tuple[()], jax.Array, jax.Array]:
    del key

    def any_of_node(mask: jax.Array) -> jax.Array:
        return jnp.zeros(num_nodes, bool).at[node].max(mask, mode="drop")

    return memory, any_of_node(start <= tick), any_of_node((start <= tick) & (tick < end))


def _check(num_nodes: int, *, node: int, line: int) -> None:
    if node >= num_nodes:
        raise InputError(f"path: line {line} of the trace names node {node}, and the network has 0 to {num_nodes - 1}")
