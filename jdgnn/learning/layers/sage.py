"""GraphSAGE with the mean or the max aggregator."""

import functools
from collections.abc import Callable

import jax
from flax import nnx
from jax.typing import DTypeLike

from jdgnn.errors import InputError, suggestion
from jdgnn.learning.aggregation import maximum, mean
from jdgnn.learning.layers.layer import Layer
from jdgnn.learning.layers.linear_maps import check_dense, finish, finisher
from jdgnn.learning.layers.modules import from_nnx

AGGREGATORS = {"mean": mean, "max": maximum}


def sage(units: int, activation: str = "leaky_relu", normalize: bool = True, aggregator: str = "mean") -> Layer:
    """GraphSAGE: one linear map of a node's own vector plus another of the mean, or largest, over its in-neighbours.

    The own path keeps what a node knows of itself where neighbours mislead.
    Source: Hamilton, Ying & Leskovec, "Inductive Representation Learning on Large Graphs", arXiv 1706.02216.

    Args:
      units: width of the output, F'.
      activation: one of `identity`, `leaky_relu` (slope 0.25), `relu`, `tanh`.
      normalize: scale the output to length one.
      aggregator: `mean`, or `max` of each feature.

    Returns:
      The layer; its parameters are two kernels [F, F'] and a bias [F'].

    Raises:
      InputError: an argument makes no sense.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> layer = sage(units=2)
      >>> params = layer.init(jax.random.key(0), 3, jnp.float32)
      >>> layer.apply(params, jnp.zeros(3), jnp.ones(3)).shape
      (2,)
    """
    check_dense(units, activation, normalize)
    if aggregator not in AGGREGATORS:
        raise InputError(f"aggregator: got {aggregator!r}; {suggestion(str(aggregator), AGGREGATORS)}")
    return from_nnx(
        _module(units, activation, normalize),
        AGGREGATORS[aggregator],
        inputs=_inputs,
        finish=finisher(activation, normalize),
    )


def _inputs(own: jax.Array, aggregated: jax.Array) -> dict[str, jax.Array]:
    return {"own": own, "neighbours": aggregated}


@functools.cache
def _module(units: int, activation: str, normalize: bool) -> Callable[..., nnx.Module]:
    class GraphSage(nnx.Module):
        def __init__(self, num_features: int, *, rngs: nnx.Rngs, param_dtype: DTypeLike) -> None:
            self.own = nnx.Linear(num_features, units, rngs=rngs, param_dtype=param_dtype)
            self.neighbours = nnx.Linear(num_features, units, use_bias=False, rngs=rngs, param_dtype=param_dtype)

        def __call__(self, own: jax.Array, aggregated: jax.Array) -> jax.Array:
            return finish(self.own(own) + self.neighbours(aggregated), activation, normalize)

    return GraphSage
