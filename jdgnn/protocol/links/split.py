"""A network that is cut in two for some time."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jax.typing import ArrayLike
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.protocol.arguments import checked_prob, checked_whole, is_known
from jdgnn.protocol.links.models import LossModel, Messages


def split(
    start: int | jax.Array,
    end: int | jax.Array,
    share: ArrayLike = 0.5,
    groups: Sequence[int] | NDArray[np.integer] | None = None,
) -> LossModel:
    """Cuts the network: what is sent in ticks start ≤ t < end from one side to another is lost, nothing else is.

    Args:
      start: first tick of the cut.
      end: first tick after it.
      share: one side are the nodes numbered below share · N, the other the rest; not looked at with `groups`.
      groups: the side of each node, whole numbers [N]; there may be more than two sides.

    Returns:
      The model, for the `split` of `jdgnn.link`.

    Raises:
      InputError: a number makes no sense.

    Example:
      >>> cut = split(100, 200, share=0.2)
    """
    numbers = {"start": checked_whole("start", start), "end": checked_whole("end", end)}
    if is_known(start, end) and end <= start:
        raise InputError(f"end: got {end}, and a tick after start = {start} is needed")
    share = checked_prob("share", share)
    if groups is None:
        return LossModel(sample=Partial(_sample_share, share=share, **numbers))
    return LossModel(sample=Partial(_sample_groups, groups=_checked_groups(groups), **numbers))


def _checked_groups(groups: Any) -> NDArray[np.int32]:
    given = np.asarray(groups)
    if given.ndim != 1 or not np.issubdtype(given.dtype, np.integer):
        raise InputError(f"groups: got {given.dtype} {given.shape}, and one whole number per node is needed")
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
    if groups.shape[0] != messages.topology.num_nodes:
        raise InputError(
            f"groups has {groups.shape[0]} entries, and one for each of the network's "
            f"{messages.topology.num_nodes} nodes is needed"
        )
    side = jnp.asarray(groups).at[jnp.stack([messages.src, messages.dst])].get(mode="clip")
    return (side[0] != side[1]) & _is_cut(messages.tick, start, end)


def _is_cut(tick: jax.Array, start: int | jax.Array, end: int | jax.Array) -> jax.Array:
    return (tick >= start) & (tick < end)
