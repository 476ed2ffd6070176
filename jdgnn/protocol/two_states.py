"""Independent Markov chains with the states on and off: for nodes that come and go, links and channels."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike


def first_states(key: jax.Array, count: int, mean_on: ArrayLike, mean_off: ArrayLike) -> jax.Array:
    """Draws which of `count` chains are on, each with the stationary probability mean_on / (mean_on + mean_off).

    Example:
      >>> first_states(jax.random.key(0), 3, 1.0, 1e30).tolist()
      [False, False, False]
    """
    on, off = jnp.float32(mean_on), jnp.float32(mean_off)
    return jax.random.bernoulli(key, on / (on + off), (count,))


def next_states(key: jax.Array, is_on: jax.Array, mean_on: ArrayLike, mean_off: ArrayLike) -> jax.Array:
    """Draws which chains are on in the next tick: each leaves its state with probability 1 over its mean stay.

    Example:
      >>> next_states(jax.random.key(0), jnp.array([True, False]), 1, 1).tolist()
      [False, True]
    """
    mean_stay = jnp.where(is_on, jnp.float32(mean_on), jnp.float32(mean_off))
    return is_on ^ jax.random.bernoulli(key, 1.0 / mean_stay)
