"""Dense layers, which use no neighbour."""

from jdgnn.learning.aggregation import nothing
from jdgnn.learning.layers.layer import Layer
from jdgnn.learning.layers.linear_maps import sum_of_maps


def dense(units: int, activation: str = "leaky_relu", normalize: bool = True) -> Layer:
    """Dense layer: a linear map of a node's own vector.

    Neighbours enter through the objective only. Use it in graphs where neighbours mislead, and as a baseline.

    Args:
      units: width of the output, F'.
      activation: one of `identity`, `leaky_relu` (slope 0.25), `relu`, `tanh`.
      normalize: scale the output to length one.

    Returns:
      The layer; its parameters are a kernel [F, F'] and a bias [F'].

    Raises:
      InputError: an argument is invalid.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> layer = dense(units=2)
      >>> params = layer.init(jax.random.key(0), 3, jnp.float32)
      >>> layer.apply(params, jnp.ones(3), jnp.zeros(3)).shape
      (2,)
    """
    return sum_of_maps(units, activation, normalize, nothing, (("linear", "own"),))
