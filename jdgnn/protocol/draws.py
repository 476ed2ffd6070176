"""Random integers below a bound."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

HALF = 0xFFFF


def below(key: jax.Array, shape: tuple[int, ...], bound: ArrayLike) -> jax.Array:
    """Draws int32 numbers from 0 to below a positive bound, equally likely to within a relative error of bound/2³².

    The result is the upper half of the product of a random word and the bound (Lemire, "Fast Random Integer Generation
    in an Interval", ACM TOMACS 2019, without its rejection).

    Example:
      >>> import jax
      >>> below(jax.random.key(0), (5,), 3).tolist()
      [2, 2, 0, 1, 1]
    """
    # Runs draw very many of these: unlike `jax.random.randint` this needs one random word per number and no division.
    bits, bound = jax.random.bits(key, shape, jnp.uint32), jnp.asarray(bound).astype(jnp.uint32)
    upper, lower, top, rest = bits >> 16, bits & HALF, bound >> 16, bound & HALF
    first, second = upper * rest, lower * top
    carried = (lower * rest >> 16) + (first & HALF) + (second & HALF)
    return (upper * top + (first >> 16) + (second >> 16) + (carried >> 16)).astype(jnp.int32)
