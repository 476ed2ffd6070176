"""A dense layer, which hears no neighbour."""

import functools
from collections.abc import Callable

import jax
from flax import nnx
from jax.typing import DTypeLike

from jdgnn.learning.aggregation import nothing
from jdgnn.learning.layers.layer import Layer
from jdgnn.learning.layers.linear_maps import check_dense, finish, finisher
from jdgnn.learning.layers.modules import from_nnx


def dense(units: int, activation: str = "leaky_relu", normalize: bool = True) -> Layer:
    """Dense layer: a linear map of a node's own vector.

    Neighbours enter by the objective only. It is a layer for graphs where neighbours mislead, and a control.

    Args:
      units: width of the output, F'.
      activation: one of `identity`, `leaky_relu` (slope 0.25), `relu`, `tanh`.
      normalize: scale the output to length one.

    Returns:
      The layer; its parameters are a kernel [F, F'] and a bias [F'].

    Raises:
      InputError: an argument makes no sense.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> layer = dense(units=2)
      >>> params = layer.init(jax.random.key(0), 3, jnp.float32)
      >>> layer.apply(params, jnp.ones(3), jnp.zeros(3)).shape
      (2,)
    """
    check_dense(units, activation, normalize)
    return from_nnx(
        _module(units, activation, normalize), nothing, inputs=_inputs, finish=finisher(activation, normalize)
    )


def _inputs(own: jax.Array, aggregated: jax.Array) -> dict[str, jax.Array]:
    del aggregated
    return {"linear": own}


@functools.cache
def _module(units: int, activation: str, normalize: bool) -> Callable[..., nnx.Module]:
    class Dense(nnx.Module):
        def __init__(self, num_features: int, *, rngs: nnx.Rngs, param_dtype: DTypeLike) -> None:
            self.linear = nnx.Linear(num_features, units, rngs=rngs, param_dtype=param_dtype)

        def __call__(self, own: jax.Array, aggregated: jax.Array) -> jax.Array:
            del aggregated
            return finish(self.linear(own), activation, normalize)

    return Dense
