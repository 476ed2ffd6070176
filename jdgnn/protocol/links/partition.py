"""Partitions of the network for some time."""

import os
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jax.typing import ArrayLike
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.network.identifiers import Identifiers, identifier, named
from jdgnn.parts import unbound
from jdgnn.protocol.arguments import checked_prob, checked_whole, is_known
from jdgnn.protocol.links.models import DropModel, Messages
from jdgnn.protocol.named_rows import named_rows


def partition(
    start: int | jax.Array,
    end: int | jax.Array,
    share: ArrayLike = 0.5,
    groups: Any = None,
) -> DropModel:
    """Cuts the network: messages sent in ticks start ≤ t < end from one side to another are dropped, no others.

    Args:
      start: first tick of the cut.
      end: first tick after it.
      share: nodes numbered below share · N are one side, the rest the other; ignored with `groups`.
      groups: the side of each node; there may be more than two sides. By name: a mapping from the name of each node
        to its side, a series with such an index, or a CSV file or data frame with the columns `node` and `group`. By
        row, whole numbers [N], only where nodes have no names.

    Returns:
      The model, for the `partition` of `jdgnn.link`.

    Raises:
      InputError: a number is invalid; or, once the network is known, groups do not name each node once.

    Example:
      >>> cut = partition(100, 200, share=0.2)
      >>> cut = partition(100, 200, groups={"ann": "office", "bob": "office", "cy": "home"})
    """
    numbers = {"start": checked_whole("start", start), "end": checked_whole("end", end)}
    if is_known(start, end) and end <= start:
        raise InputError(f"end: expected a tick after start = {start}, got {end}")
    share = checked_prob("share", share)
    if groups is None:
        return DropModel(sample=Partial(_sample_share, share=share, **numbers))
    if isinstance(groups, str | os.PathLike) or hasattr(groups, "columns"):
        rows = named_rows("groups", groups, ("node", "group"))
        return _named_groups([row.node for row in rows], [identifier(row.cells[0]) for row in rows], numbers)
    if isinstance(groups, Mapping) or hasattr(groups, "iloc"):
        names, sides = zip(*groups.items(), strict=True) if len(groups) else ((), ())
        return _named_groups(list(names), list(sides), numbers)
    numbers["groups"] = _checked_groups(groups)
    return DropModel(sample=Partial(_sample_groups, **numbers), bind=Partial(_bind_rows, **numbers))


def _named_groups(names: list[Any], groups: list[Any], numbers: dict[str, Any]) -> DropModel:
    if without := [name for name, group in zip(names, groups, strict=True) if not identifier(group)]:
        raise InputError(f"groups: expected a group for each node, got none for {named(without)}")
    sides = _checked_groups(groups)

    def bind(nodes: Identifiers) -> DropModel:
        order = nodes.order("groups", names)
        return DropModel(sample=Partial(_sample_groups, groups=sides[order], **numbers))

    return DropModel(sample=unbound, bind=bind)


def _bind_rows(nodes: Identifiers, *, groups: Any, **numbers: Any) -> DropModel:
    if nodes.names:
        raise InputError(
            f"groups: expected a group by the name of each node, since {nodes.described}, got rows; if they are in the "
            "order of the nodes, write dict(zip(network.node_names, groups))"
        )
    if len(groups) != nodes.num_nodes:
        raise InputError(f"groups: expected one for each of {nodes.num_nodes} nodes, got {len(groups)}")
    return DropModel(sample=Partial(_sample_groups, groups=groups, **numbers))


def _checked_groups(groups: Any) -> NDArray[np.int32]:
    given = np.asarray(groups)
    if given.ndim != 1 or given.dtype.kind not in "iuU":
        raise InputError(f"groups: expected one whole number or text per node, got {given.dtype} {given.shape}")
    return np.unique(given, return_inverse=True)[1].astype(np.int32)


def _sample_share(
    key: jax.Array, messages: Messages, *, share: ArrayLike, start: int | jax.Array, end: int | jax.Array
) -> jax.Array:
    del key
    border = jnp.float32(share) * messages.topology.num_nodes

    def is_first(nodes: jax.Array) -> jax.Array:
        return nodes.astype(jnp.float32) < border

    return (is_first(messages.src) != is_first(messages.dst)) & _is_cut(messages.tick, start, end)


def _sample_groups(
    key: jax.Array, messages: Messages, *, groups: jax.Array, start: int | jax.Array, end: int | jax.Array
) -> jax.Array:
    del key
    side = jnp.asarray(groups).at[jnp.stack([messages.src, messages.dst])].get(mode="clip")
    return (side[0] != side[1]) & _is_cut(messages.tick, start, end)


def _is_cut(tick: jax.Array, start: int | jax.Array, end: int | jax.Array) -> jax.Array:
    return (tick >= start) & (tick < end)
