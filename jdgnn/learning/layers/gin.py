"""The graph isomorphism network."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from jdgnn.learning.aggregation import total
from jdgnn.learning.layers.layer import Layer
from jdgnn.learning.layers.linear_maps import ACTIVATIONS, check_dense, finish
from jdgnn.learning.layers.modules import from_nnx


def gin(units: int, activation: str = "leaky_relu", normalize: bool = True) -> Layer:
    """GIN: a perceptron with one hidden layer of (1 + ε) times a node's own vector plus the sum of its in-neighbours'.

    Sums, unlike means, distinguish neighbourhoods that differ only in size.
    Source: Xu et al., "How Powerful are Graph Neural Networks?", arXiv 1810.00826.

    Args:
      units: width of the output, F', and of the hidden layer.
      activation: one of `identity`, `leaky_relu` (slope 0.25), `relu`, `tanh`; in both layers of the perceptron.
      normalize: scale the output to length one.

    Returns:
      The layer; its parameters are kernels [F, F'] and [F', F'], two biases [F'], and ε, which starts at zero.

    Raises:
      InputError: an argument is invalid.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> layer = gin(units=2)
      >>> params = layer.init(jax.random.key(0), 3, jnp.float32)
      >>> layer.apply(params, jnp.zeros(3), jnp.ones(3)).shape
      (2,)
    """
    check_dense(units, activation, normalize)
    return from_nnx(_module(units, activation, normalize), total)


@functools.cache
def _module(units: int, activation: str, normalize: bool) -> Callable[..., nnx.Module]:
    class GraphIsomorphism(nnx.Module):
        def __init__(self, num_features: int, *, rngs: nnx.Rngs, param_dtype: DTypeLike) -> None:
            self.epsilon = nnx.Param(jnp.zeros((), param_dtype))
            self.hidden = nnx.Linear(num_features, units, rngs=rngs, param_dtype=param_dtype)
            self.output = nnx.Linear(units, units, rngs=rngs, param_dtype=param_dtype)

        def __call__(self, own: jax.Array, aggregated: jax.Array) -> jax.Array:
            hidden = ACTIVATIONS[activation](self.hidden((1 + self.epsilon[...]) * own + aggregated))
            return finish(self.output(hidden), activation, normalize)

    return GraphIsomorphism
