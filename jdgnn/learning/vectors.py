"""Vectors of length one, and inner products."""

import jax
import jax.numpy as jnp

from jdgnn.kernels import calls, library


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


def products(rows: jax.Array, vector: jax.Array) -> jax.Array:
    """Inner products of each row [n, F] with a vector [F]: [n]. Where all nodes ask, by a compiled kernel.

    Example:
      >>> products(jnp.array([[1.0, 0.0], [1.0, 1.0]]), jnp.array([2.0, 3.0])).tolist()
      [2.0, 5.0]
    """
    if library.are_used() and rows.size and rows.dtype == vector.dtype and rows.dtype in library.DTYPES:
        return _products(rows, vector)
    return rows @ vector


@jax.custom_vjp
def _products(rows: jax.Array, vector: jax.Array) -> jax.Array:
    return calls.products(rows, vector)


def _products_forward(rows: jax.Array, vector: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return calls.products(rows, vector), (rows, vector)


def _products_backward(kept: tuple[jax.Array, jax.Array], change: jax.Array) -> tuple[jax.Array, jax.Array]:
    rows, vector = kept
    return change[:, None] * vector, calls.weighted(rows, change)


_products.defvjp(_products_forward, _products_backward)
