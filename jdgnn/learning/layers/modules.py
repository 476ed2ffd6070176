"""Layers made from flax modules."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen, nnx
from jax.typing import DTypeLike

from jdgnn.errors import InputError
from jdgnn.learning.layers.layer import Layer

ModuleFactory = Callable[..., nnx.Module]


@functools.cache
def from_nnx(
    make: ModuleFactory,
    aggregate: Callable[..., jax.Array],
    query: str | None = None,
) -> Layer:
    """Makes a layer from a `flax.nnx` module that is called as `module(own, aggregated)`.

    The same functions give the same layer, so that compiled programs are reused.

    Args:
      make: `make(num_features, *, rngs, param_dtype) -> module`; the module may hold parameters only.
      aggregate: how received vectors are combined, such as `jdgnn.learning.aggregation.mean`.
      query: name of the module's method `(own) -> query` for attention, or None.

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

    def bind(params: dict[str, Any], own: jax.Array) -> Any:
        graph, template = _abstract(make, own.shape[-1])
        nnx.replace_by_pure_dict(template, params)
        return nnx.merge(graph, template)

    def apply(params: dict[str, Any], own: jax.Array, aggregated: jax.Array) -> jax.Array:
        return bind(params, own)(own, aggregated)

    def ask(params: dict[str, Any], own: jax.Array) -> jax.Array:
        assert query is not None
        return getattr(bind(params, own), query)(own)

    return Layer(init=init, apply=apply, aggregate=aggregate, query=None if query is None else ask)


@functools.cache
def from_linen(module: linen.Module, aggregate: Callable[..., jax.Array]) -> Layer:
    """Makes a layer from a `flax.linen` module that is called as `module(own, aggregated)`.

    Args:
      module: the module; it may hold parameters only, and sets their dtype.
      aggregate: how received vectors are combined, such as `jdgnn.learning.aggregation.mean`.

    Returns:
      The layer; its parameters are a plain dict of arrays.

    Raises:
      InputError: the module keeps collections other than parameters.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from flax import linen
      >>> from jdgnn.learning import aggregation
      >>> class Sum(linen.Module):
      ...     @linen.compact
      ...     def __call__(self, own, aggregated):
      ...         return linen.Dense(4)(own + aggregated)
      >>> layer = from_linen(Sum(), aggregation.mean)
      >>> params = layer.init(jax.random.key(0), 3, jnp.float32)
      >>> layer.apply(params, jnp.ones(3), jnp.ones(3)).shape
      (4,)
    """

    def init(key: jax.Array, num_features: int, dtype: DTypeLike) -> dict[str, Any]:
        vector = jnp.zeros(num_features, dtype)
        collections = dict(module.init(key, vector, vector))
        params = collections.pop("params", {})
        _check_params_only(type(module).__name__, collections)
        return dict(params)

    def apply(params: dict[str, Any], own: jax.Array, aggregated: jax.Array) -> jax.Array:
        output: Any = module.apply({"params": params}, own, aggregated)
        return output

    return Layer(init=init, apply=apply, aggregate=aggregate)


def _split(module: nnx.Module) -> tuple[Any, Any]:
    split: Any = nnx.split(module, nnx.Param, ...)
    graph, params, rest = split
    _check_params_only(type(module).__name__, {type(variable).__name__ for _, variable in nnx.to_flat_state(rest)})
    return graph, params


def _check_params_only(module: str, others: Iterable[str]) -> None:
    names = sorted(others)
    if names:
        raise InputError(
            f"module: expected parameters only, got {module} with {', '.join(names)}; "
            "write one without dropout and batch statistics"
        )


def _abstract(make: ModuleFactory, num_features: int) -> tuple[Any, Any]:
    """The module's structure and a template of its parameters, without computing them."""

    def build() -> nnx.Module:
        return make(num_features, rngs=nnx.Rngs(0), param_dtype=float)

    return _split(nnx.eval_shape(build))
