"""Nodes that join late."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.errors import InputError
from jdgnn.protocol.arguments import checked_prob, checked_whole, is_known
from jdgnn.protocol.presence.presence import Presence


def late_joining(share: ArrayLike, first: int | jax.Array, last: int | jax.Array) -> Presence:
    """Some nodes join late and stay; the others are online from the first tick on.

    Args:
      share: probability that a node is late, from 0 to 1.
      first: the first tick in which a late node can join.
      last: the last one, `first` or later; each of these ticks is equally likely.

    Returns:
      The presence model; it remembers the tick in which each node joins, int32 [N].

    Raises:
      InputError: a number is invalid.

    Example:
      >>> import jax
      >>> presence = late_joining(1.0, 5, 5)
      >>> joins = presence.init(jax.random.key(0), 2)
      >>> [presence.sample(None, tick, 2, joins)[1].tolist() for tick in (4, 5)]
      [[False, False], [True, True]]
    """
    numbers = {
        "share": checked_prob("share", share),
        "first": checked_whole("first", first),
        "last": checked_whole("last", last),
    }
    if is_known(first, last) and last < first:
        raise InputError(f"last: expected a tick of at least first = {first}, got {last}")
    return Presence(init=Partial(_init, **numbers), sample=_sample)


def _init(
    key: jax.Array, num_nodes: int, *, share: ArrayLike, first: int | jax.Array, last: int | jax.Array
) -> jax.Array:
    late_key, tick_key = jax.random.split(key)
    is_late = jax.random.bernoulli(late_key, jnp.float32(share), (num_nodes,))
    tick = jax.random.randint(tick_key, (num_nodes,), first, last + 1, dtype=jnp.int32)
    return jnp.where(is_late, tick, 0)


def _sample(
    key: jax.Array, tick: jax.Array, num_nodes: int, joins: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    del key, num_nodes
    joined = tick >= joins
    return joins, joined, joined
