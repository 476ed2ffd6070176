"""Random whole numbers below a bound, of which a run draws very many."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

HALF = 0xFFFF


def below(key: jax.Array, shape: tuple[int, ...], bound: ArrayLike) -> jax.Array:
    """Draws whole numbers from 0 to below a bound, all but equally likely: to within bound/2³², relatively.

    The upper half of the product of a random word and the bound (Lemire, "Fast Random Integer Generation in an
    Interval", ACM TOMACS 2019, without its rejection): no division, and one random word for each number.

    Args:
      key: what to draw with.
      shape: of the result.
      bound: positive int32 numbers that broadcast to it.

    Returns:
      Numbers, int32.

    Example:
      >>> import jax
      >>> below(jax.random.key(0), (5,), 3).tolist()
      [2, 2, 0, 1, 1]
    """
    bits, bound = jax.random.bits(key, shape, jnp.uint32), jnp.asarray(bound).astype(jnp.uint32)
    upper, lower, top, rest = bits >> 16, bits & HALF, bound >> 16, bound & HALF
    first, second = upper * rest, lower * top
    carried = (lower * rest >> 16) + (first & HALF) + (second & HALF)
    return (upper * top + (first >> 16) + (second >> 16) + (carried >> 16)).astype(jnp.int32)
