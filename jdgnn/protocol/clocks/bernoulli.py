"""A clock that draws each wake independently."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.protocol.arguments import checked_prob
from jdgnn.protocol.clocks.clock import Clock, no_memory


def bernoulli(prob: ArrayLike) -> Clock:
    """Each node wakes in each tick with the same probability, independently.

    Args:
      prob: that probability, from 0 to 1.

    Returns:
      The clock.

    Raises:
      InputError: `prob` is not a probability.

    Example:
      >>> import jax
      >>> _, wake_mask = bernoulli(0.5).sample(jax.random.key(0), 0, 1000, ())
      >>> 450 < int(wake_mask.sum()) < 550
      True
    """
    return Clock(init=no_memory, sample=Partial(_sample, prob=checked_prob("prob", prob)))


def _sample(
    key: jax.Array, tick: jax.Array, num_nodes: int, memory: tuple[()], *, prob: ArrayLike
) -> tuple[tuple[()], jax.Array]:
    del tick
    return memory, jax.random.bernoulli(key, jnp.float32(prob), (num_nodes,))
