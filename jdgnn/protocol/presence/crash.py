"""Nodes that leave for good."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.protocol.arguments import checked_prob
from jdgnn.protocol.presence.presence import Presence


def crash(prob: ArrayLike) -> Presence:
    """In each tick, the first included, each node that is online crashes with the same probability, for good.

    All nodes have joined, and crashed nodes still count as joined.

    Args:
      prob: that probability, from 0 to 1.

    Returns:
      The presence model; it remembers who is online, bool [N].

    Raises:
      InputError: `prob` is not a probability.

    Example:
      >>> import jax
      >>> presence = crash(1.0)
      >>> online = presence.init(jax.random.key(0), 3)
      >>> presence.sample(jax.random.key(1), 0, 3, online)[2].tolist()
      [False, False, False]
    """
    return Presence(init=_init, sample=Partial(_sample, prob=checked_prob("prob", prob)))


def _init(key: jax.Array, num_nodes: int) -> jax.Array:
    del key
    return jnp.ones(num_nodes, bool)


def _sample(
    key: jax.Array, tick: jax.Array, num_nodes: int, online: jax.Array, *, prob: ArrayLike
) -> tuple[jax.Array, jax.Array, jax.Array]:
    del tick
    online = online & ~jax.random.bernoulli(key, jnp.float32(prob), (num_nodes,))
    return online, jnp.ones(num_nodes, bool), online
