"""A clock with a fixed period."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jdgnn.protocol.arguments import checked_whole
from jdgnn.protocol.clocks.clock import Clock


def periodic(period: int | jax.Array) -> Clock:
    """Each node wakes once in `period` ticks, at its own phase, which is drawn uniformly when a run begins.

    Args:
      period: ticks from one wake to the next.

    Returns:
      The clock; it remembers the phases, int32 [N].

    Raises:
      InputError: the period is not a whole number of at least 1.

    Example:
      >>> import jax
      >>> clock = periodic(3)
      >>> phases = clock.init(jax.random.key(0), 5)
      >>> sum(clock.sample(None, tick, 5, phases)[1].astype(int) for tick in range(3)).tolist()
      [1, 1, 1, 1, 1]
    """
    period = checked_whole("period", period, minimum=1)
    return Clock(init=Partial(_init, period=period), sample=Partial(_sample, period=period))


def _init(key: jax.Array, num_nodes: int, *, period: int | jax.Array) -> jax.Array:
    return jax.random.randint(key, (num_nodes,), 0, period, dtype=jnp.int32)


def _sample(
    key: jax.Array, tick: jax.Array, num_nodes: int, phase: jax.Array, *, period: int | jax.Array
) -> tuple[jax.Array, jax.Array]:
    del key, num_nodes
    return phase, (tick - phase) % period == 0
