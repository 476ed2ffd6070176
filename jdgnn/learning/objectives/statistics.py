"""Statistics over a node's own vector and the vectors in its sample buffer, for objectives without negatives.

Only the own vector moves: pushed samples are constants. So it feels one n-th of a loss over n vectors in which each
takes part. Terms of statistics are therefore multiplied by n: the gradient at one node is then that of the loss of the
whole batch, relative to the terms of single vectors, however many samples there are.

Axes: C samples, F' units, n = 1 + the number of samples that are there.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

NEARLY_ZERO = 1e-4  # added to a variance before its root, as in VICReg


class Moments(NamedTuple):
    """A node's vector and its samples, centred, with their mean and variance."""

    centred: jax.Array  # [1 + C, F'], the own one first; zero where there is no sample
    mean: jax.Array  # [F']
    variance: jax.Array  # [F'], with n - 1
    num: jax.Array  # n


def moments(embedding: jax.Array, samples: jax.Array, mask: jax.Array) -> Moments:
    """Moments of an embedding [F'] and the samples [C, F'] where the mask [C] is True, at least one.

    Example:
      >>> moments(jnp.array([1.0]), jnp.array([[3.0], [7.0]]), jnp.array([True, False])).variance.tolist()
      [2.0]
    """
    is_there = jnp.append(True, mask)[:, None]
    vectors = jnp.where(is_there, jnp.concatenate([embedding[None], samples]), 0)
    count = jnp.sum(is_there, dtype=vectors.dtype)
    mean = jnp.sum(vectors, axis=0) / count
    centred = jnp.where(is_there, vectors - mean, 0)
    variance = jnp.sum(centred**2, axis=0) / jnp.maximum(count - 1, 1)
    return Moments(centred, mean, variance, count)


def standardised(of: Moments, positives: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Standardises each unit of the node's vector and its samples [1 + C, F'], and of positives [K, F']."""
    scale = jax.lax.rsqrt(of.variance + NEARLY_ZERO)
    return of.centred * scale, (positives - of.mean) * scale


def off_diagonal(vectors: jax.Array) -> jax.Array:
    """The sum of squares off the diagonal of XᵀX, for X [n, F'].

    Example:
      >>> off_diagonal(jnp.array([[1.0, 2.0]])).item()
      8.0
    """
    # By inner products of the rows, since there are usually fewer rows than columns.
    return jnp.sum((vectors @ vectors.T) ** 2) - jnp.sum(jnp.sum(vectors**2, axis=0) ** 2)
