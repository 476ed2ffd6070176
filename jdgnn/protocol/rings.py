"""Rings of the messages sent in each of the last D+1 ticks, where D is the longest delay.

A message sent in tick t uses slot t mod (D+1). With delay δ it arrives in tick t+1+δ, before anything is sent in that
tick; so its slot is free again before it is overwritten. A ring holds one small number per slot, the delay: arrivals
are found by comparing, without a queue, and memory depends on D alone.
"""

import jax
import jax.numpy as jnp


def delay_dtype(max_delay: int) -> jnp.dtype:
    """The smallest type that holds delays up to `max_delay` and one value more, which marks that nothing was sent."""
    sizes = (jnp.uint8, jnp.uint16, jnp.uint32)
    return next(jnp.dtype(size) for size in sizes if max_delay < jnp.iinfo(size).max)


def nothing_sent(shape: tuple[int, ...], max_delay: int) -> jax.Array:
    """A ring of delays in which nothing was sent."""
    dtype = delay_dtype(max_delay)
    return jnp.full(shape, jnp.iinfo(dtype).max, dtype)


def as_delays(is_sent: jax.Array, delay: jax.Array | None, max_delay: int) -> jax.Array:
    """The delays that one tick writes into its slot, with a mark where nothing is sent."""
    dtype = delay_dtype(max_delay)
    delays = jnp.zeros(is_sent.shape, dtype) if delay is None else delay.astype(dtype)
    return jnp.where(is_sent, delays, jnp.asarray(jnp.iinfo(dtype).max, dtype))


def is_due(delays: jax.Array, tick: jax.Array) -> jax.Array:
    """Marks the messages of a ring [n, D+1, ...] that arrive in this tick."""
    return delays == _elapsed_beside(delays, tick)


def num_in_flight(delays: jax.Array, tick: jax.Array) -> jax.Array:
    """Number of messages of each row of a ring [n, D+1, ...] on their way at the end of tick `tick` - 1: [n] int32."""
    is_sent = delays <= jnp.asarray(delays.shape[1] - 1, delays.dtype)
    is_flying = is_sent & (delays >= _elapsed_beside(delays, tick))
    return jnp.sum(is_flying, axis=tuple(range(1, delays.ndim)), dtype=jnp.int32)


def _elapsed_beside(delays: jax.Array, tick: jax.Array) -> jax.Array:
    """`elapsed` in the type and along the second axis of a ring."""
    delay = elapsed(tick, delays.shape[1]).astype(delays.dtype)
    return delay.reshape(-1, *(1,) * (delays.ndim - 2))


def elapsed(tick: jax.Array, depth: int) -> jax.Array:
    """The delay that ends in this tick for each slot [depth] int32; 0 for messages sent in the tick before."""
    return (tick - 1 - jnp.arange(depth, dtype=jnp.int32)) % depth
