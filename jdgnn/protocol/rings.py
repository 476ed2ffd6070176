"""What was sent in each of the last D+1 ticks, where D is the longest delay: slot `tick mod (D+1)` of an axis.

A message sent in tick t with delay δ arrives in tick t+1+δ, before anything is sent in that tick; so a slot is free
again by the time it is written anew.
"""

import jax
import jax.numpy as jnp


def delay_dtype(max_delay: int) -> jnp.dtype:
    """The smallest type that holds delays up to `max_delay` and one value more, which says that nothing was sent."""
    sizes = (jnp.uint8, jnp.uint16, jnp.uint32)
    return next(jnp.dtype(size) for size in sizes if max_delay < jnp.iinfo(size).max)


def nothing_sent(shape: tuple[int, ...], max_delay: int) -> jax.Array:
    """Delays [shape] in which nothing was sent."""
    dtype = delay_dtype(max_delay)
    return jnp.full(shape, jnp.iinfo(dtype).max, dtype)


def as_delays(is_sent: jax.Array, delay: jax.Array | None, max_delay: int) -> jax.Array:
    """What one tick writes into its slot: the delay of what is sent, and a mark where nothing is."""
    dtype = delay_dtype(max_delay)
    delays = jnp.zeros(is_sent.shape, dtype) if delay is None else delay.astype(dtype)
    return jnp.where(is_sent, delays, jnp.asarray(jnp.iinfo(dtype).max, dtype))


def is_due(delays: jax.Array, tick: jax.Array) -> jax.Array:
    """What of a ring [n, D+1, ...] arrives in this tick."""
    return delays == _elapsed_beside(delays, tick)


def num_in_flight(delays: jax.Array, tick: jax.Array) -> jax.Array:
    """How much of each row of a ring [n, D+1, ...] is on its way [n] int32, at the end of the tick before `tick`."""
    is_sent = delays <= jnp.asarray(delays.shape[1] - 1, delays.dtype)
    is_flying = is_sent & (delays >= _elapsed_beside(delays, tick))
    return jnp.sum(is_flying, axis=tuple(range(1, delays.ndim)), dtype=jnp.int32)


def _elapsed_beside(delays: jax.Array, tick: jax.Array) -> jax.Array:
    """`elapsed` in the type and along the second axis of a ring."""
    delay = elapsed(tick, delays.shape[1]).astype(delays.dtype)
    return delay.reshape(-1, *(1,) * (delays.ndim - 2))


def elapsed(tick: jax.Array, depth: int) -> jax.Array:
    """Delay that ends in this tick for each slot [depth] int32: what was sent in tick t−1 has none."""
    return (tick - 1 - jnp.arange(depth, dtype=jnp.int32)) % depth
