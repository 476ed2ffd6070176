"""Layers out of flax modules."""

import functools
from collections.abc import Callable
from typing import Any

import jax
from flax import nnx
from jax.typing import DTypeLike

from jdgnn.errors import InputError
from jdgnn.learning.layers.layer import Layer

ModuleFactory = Callable[..., nnx.Module]


@functools.cache
def from_nnx(make: ModuleFactory, aggregate: Callable[..., jax.Array]) -> Layer:
    """Makes a layer of a `flax.nnx` module that is called as `module(own, aggregated)`.

    The same two functions give the same layer, so that a program compiled for it is found again.

    Args:
      make: `make(num_features, *, rngs, param_dtype) -> module`; the module may hold parameters only.
      aggregate: how received vectors are combined, as `jdgnn.learning.aggregation.mean`.

    Returns:
      The layer; its parameters are a plain dict of arrays.

    Raises:
      InputError: the module keeps state other than parameters (batch statistics, dropout keys), which a node that
        sends its parameters would not send.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from flax import nnx
      >>> from jdgnn.learning import aggregation
      >>> class Sum(nnx.Module):
      ...     def __init__(self, num_features, *, rngs, param_dtype):
      ...         self.linear = nnx.Linear(num_features, 4, rngs=rngs, param_dtype=param_dtype)
      ...     def __call__(self, own, aggregated):
      ...         return self.linear(own + aggregated)
      >>> layer = from_nnx(Sum, aggregation.mean)
      >>> params = layer.init(jax.random.key(0), 3, jnp.float32)
      >>> layer.apply(params, jnp.ones(3), jnp.ones(3)).shape
      (4,)
    """

    def init(key: jax.Array, num_features: int, dtype: DTypeLike) -> dict[str, Any]:
        _, params = _split(make(num_features, rngs=nnx.Rngs(key), param_dtype=dtype))
        return nnx.to_pure_dict(params)

    def apply(params: dict[str, Any], own: jax.Array, aggregated: jax.Array) -> jax.Array:
        graph, template = _abstract(make, own.shape[-1])
        nnx.replace_by_pure_dict(template, params)
        return nnx.merge(graph, template)(own, aggregated)

    return Layer(init=init, apply=apply, aggregate=aggregate)


def _split(module: nnx.Module) -> tuple[Any, Any]:
    split: Any = nnx.split(module, nnx.Param, ...)
    graph, params, rest = split
    others = sorted({type(variable).__name__ for _, variable in nnx.to_flat_state(rest)})
    if others:
        raise InputError(
            f"make: {type(module).__name__} keeps {', '.join(others)} besides parameters; write a module without "
            "dropout and batch statistics"
        )
    return graph, params


def _abstract(make: ModuleFactory, num_features: int) -> tuple[Any, Any]:
    """The module's structure and a template of its parameters, without computing them."""

    def build() -> nnx.Module:
        return make(num_features, rngs=nnx.Rngs(0), param_dtype=float)

    return _split(nnx.eval_shape(build))
