"""Vectors of length one."""

import jax
import jax.numpy as jnp


def unit_norm(vectors: jax.Array) -> jax.Array:
    """Scales each vector [..., F] to length one, whatever its length; a zero vector stays zero, with zero gradient.

    The largest entry is divided out first, so that squares neither vanish nor overflow.

    Example:
      >>> unit_norm(jnp.array([3e-30, 4e-30])).round(3).tolist()
      [0.6000000238418579, 0.800000011920929]
    """
    top = jax.lax.stop_gradient(jnp.max(jnp.abs(vectors), axis=-1, keepdims=True, initial=0))
    is_zero = top == 0
    scaled = vectors / jnp.where(is_zero, 1, top)
    square = jnp.sum(scaled * scaled, axis=-1, keepdims=True)
    return jnp.where(is_zero, 0, scaled * jax.lax.rsqrt(jnp.where(is_zero, 1, square)))
