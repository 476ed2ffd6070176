"""The graph convolution of Kipf & Welling."""

from jdgnn.checks import check_flag
from jdgnn.learning.aggregation import symmetric_sum
from jdgnn.learning.layers.layer import Layer
from jdgnn.learning.layers.linear_maps import sum_of_maps


def gcn(units: int, activation: str = "leaky_relu", normalize: bool = True, own: bool = False) -> Layer:
    """Graph convolution: a linear map of the symmetrically weighted sum over a node and its in-neighbours.

    Source: Kipf & Welling, "Semi-Supervised Classification with Graph Convolutional Networks", arXiv 1609.02907.

    Args:
      units: width of the output, F'.
      activation: one of `identity`, `leaky_relu` (slope 0.25), `relu`, `tanh`.
      normalize: scale the output to length one.
      own: add another linear map of the node's own vector, so that it is not only averaged with those of neighbours.

    Returns:
      The layer; its parameters are a kernel [F, F'] and a bias [F'], with `own` another kernel [F, F'].

    Raises:
      InputError: an argument is invalid.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> layer = gcn(units=2)
      >>> params = layer.init(jax.random.key(0), 3, jnp.float32)
      >>> layer.apply(params, jnp.zeros(3), jnp.ones(3)).shape
      (2,)
    """
    check_flag("own", own)
    maps = (("linear", "aggregated"), ("own", "own"))
    return sum_of_maps(units, activation, normalize, symmetric_sum, maps if own else maps[:1])
