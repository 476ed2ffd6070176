"""Chebyshev filters of order one."""

from jdgnn.learning.aggregation import laplacian
from jdgnn.learning.layers.layer import Layer
from jdgnn.learning.layers.linear_maps import sum_of_maps


def chebyshev(units: int, activation: str = "leaky_relu", normalize: bool = True) -> Layer:
    """Chebyshev filter of order one: a linear map of a node's own vector plus another of the rescaled Laplacian's.

    Like `sage`, it has a separate map of the node's own vector; unlike it, neighbours enter with symmetric, negative
    weights: equal maps take differences, opposite maps take means. Filters of higher order would need vectors from
    farther away, and thus further messages.
    Source: Defferrard, Bresson & Vandergheynst, "Convolutional Neural Networks on Graphs with Fast Localized Spectral
    Filtering", arXiv 1606.09375.

    Args:
      units: width of the output, F'.
      activation: one of `identity`, `leaky_relu` (slope 0.25), `relu`, `tanh`.
      normalize: scale the output to length one.

    Returns:
      The layer; its parameters are two kernels [F, F'] and a bias [F'].

    Raises:
      InputError: an argument is invalid.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> layer = chebyshev(units=2)
      >>> params = layer.init(jax.random.key(0), 3, jnp.float32)
      >>> layer.apply(params, jnp.zeros(3), jnp.ones(3)).shape
      (2,)
    """
    return sum_of_maps(units, activation, normalize, laplacian, (("order_0", "own"), ("order_1", "aggregated")))
