"""The graph convolution of Kipf & Welling."""

import functools
from collections.abc import Callable

import jax
from flax import nnx
from jax.typing import DTypeLike

from jdgnn.checks import check_flag
from jdgnn.learning.aggregation import symmetric_sum
from jdgnn.learning.layers.layer import Layer
from jdgnn.learning.layers.linear_maps import check_dense, finish, finisher
from jdgnn.learning.layers.modules import from_nnx


def gcn(units: int, activation: str = "leaky_relu", normalize: bool = True, own: bool = False) -> Layer:
    """Graph convolution: a linear map of the symmetrically weighted sum over a node and its in-neighbours.

    Source: Kipf & Welling, "Semi-Supervised Classification with Graph Convolutional Networks", arXiv 1609.02907.

    Args:
      units: width of the output, F'.
      activation: one of `identity`, `leaky_relu` (slope 0.25), `relu`, `tanh`.
      normalize: scale the output to length one.
      own: add another linear map of the node's own vector, so that what it knows of itself is not only averaged with
        what its neighbours know.

    Returns:
      The layer; its parameters are a kernel [F, F'] and a bias [F'], with `own` another kernel [F, F'].

    Raises:
      InputError: an argument makes no sense.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> layer = gcn(units=2)
      >>> params = layer.init(jax.random.key(0), 3, jnp.float32)
      >>> layer.apply(params, jnp.zeros(3), jnp.ones(3)).shape
      (2,)
    """
    check_dense(units, activation, normalize)
    check_flag("own", own)
    return from_nnx(
        _module(units, activation, normalize, own),
        symmetric_sum,
        inputs=_both if own else _inputs,
        finish=finisher(activation, normalize),
    )


def _inputs(own: jax.Array, aggregated: jax.Array) -> dict[str, jax.Array]:
    del own
    return {"linear": aggregated}


def _both(own: jax.Array, aggregated: jax.Array) -> dict[str, jax.Array]:
    return {"linear": aggregated, "own": own}


@functools.cache
def _module(units: int, activation: str, normalize: bool, has_own: bool) -> Callable[..., nnx.Module]:
    class GraphConvolution(nnx.Module):
        def __init__(self, num_features: int, *, rngs: nnx.Rngs, param_dtype: DTypeLike) -> None:
            self.linear = nnx.Linear(num_features, units, rngs=rngs, param_dtype=param_dtype)
            if has_own:
                self.own = nnx.Linear(num_features, units, use_bias=False, rngs=rngs, param_dtype=param_dtype)

        def __call__(self, own: jax.Array, aggregated: jax.Array) -> jax.Array:
            linear = self.linear(aggregated)
            return finish(linear + self.own(own) if has_own else linear, activation, normalize)

    return GraphConvolution
