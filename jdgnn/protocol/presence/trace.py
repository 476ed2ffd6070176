"""Recorded traces of when nodes were online."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from jdgnn.errors import InputError
from jdgnn.network.identifiers import Identifiers
from jdgnn.parts import unbound
from jdgnn.protocol.arguments import checked_whole
from jdgnn.protocol.named_rows import NamedRow, named_rows
from jdgnn.protocol.presence.presence import Presence

COLUMNS = ("node", "start", "end")


def trace(path: Any, period: int | None = None) -> Presence:
    r"""A table says when nodes are online.

    The table has the columns `node`, `start` and `end`: the node is online in the ticks t with start ≤ t < end, whole
    numbers from 0. Nodes are identified as in the network: by their names if it has names (ids of `nodes.csv`,
    `node_names`), else by their numbers 0, …, N - 1. Lines may come in any order, and intervals of a node may overlap.
    A node has joined from its first start on; a node that is not in the table never joins. After the last end no node
    is online, which a run reports, unless the trace repeats.

    Args:
      path: a CSV file with these columns; or the table itself: a data frame with these columns, or rows
        (node, start, end).
      period: the trace repeats after so many ticks; each interval ends within them. None if it does not repeat.

    Returns:
      The presence model, which has no memory. The engine looks nodes up in the network that a state is made for;
      before you call `sample` yourself, call `bind`.

    Raises:
      InputError: the file cannot be read or is empty, a line is invalid, or an interval ends after the period; in
        `bind`, which `Emulator.init` and `run` call, if named nodes are not in the network: it lists them.

    Example:
      >>> import pathlib, tempfile
      >>> from jdgnn.network import Identifiers
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     path = pathlib.Path(folder) / "trace.csv"
      ...     _ = path.write_text("node,start,end\nann,0,9\nbob,2,4\n")
      ...     presence = trace(path).bind(Identifiers(("ann", "bob", "cy"), 3))
      >>> [presence.sample(None, tick, 3, ())[2].tolist() for tick in (1, 2, 4)]
      [[True, False, False], [True, True, False], [True, False, False]]
    """
    rows = named_rows("path", path, COLUMNS)
    start, end = np.array([_interval(row) for row in rows], np.int32).T
    last = int(end.max())
    if period is not None:
        period = checked_whole("period", period, minimum=1)
        if last > period:
            raise InputError(
                f"period: expected at least {last}, the end of the last interval of the trace, got {period}"
            )
    numbers = {"start": start, "end": end} if period is None else {"start": start, "end": end, "period": period}
    remark = None if period is not None else Partial(_remark, end=last)
    names = [row.node for row in rows]

    def bind(nodes: Identifiers) -> Presence:
        node = nodes.rows("path: the trace, column node", names).astype(np.int32)
        return Presence(init=_init, sample=Partial(_sample, node=node, **numbers), remark=remark)

    return Presence(init=_init, sample=unbound, bind=bind, remark=remark)


def _interval(row: NamedRow) -> tuple[int, int]:
    start, end = (_whole(f"{row.where}: {what}", cell) for what, cell in zip(COLUMNS[1:], row.cells, strict=True))
    if end <= start:
        raise InputError(f"{row.where}: end: expected a tick after start = {start}, got {end}")
    return start, end


def _whole(what: str, cell: Any) -> int:
    try:
        is_whole = not isinstance(cell, float) or cell.is_integer()
        value: Any = int(cell) if is_whole else cell
    except (TypeError, ValueError):
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
    period: jax.Array | None = None,
) -> tuple[tuple[()], jax.Array, jax.Array]:
    del key
    now = tick if period is None else tick % period

    def any_of_node(mask: jax.Array) -> jax.Array:
        return jnp.zeros(num_nodes, bool).at[node].max(mask, mode="drop")

    return memory, any_of_node(start <= tick), any_of_node((start <= now) & (now < end))


def _remark(ticks: int, *, end: int) -> str:
    if ticks <= end:
        return ""
    return (
        f"the trace ends at tick {end} of {ticks}: no node that it names is online from then on; "
        f"period = {end} would repeat it"
    )
