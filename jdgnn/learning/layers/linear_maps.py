"""Layers that are sums of linear maps, and the end that all built-in layers share."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from jdgnn.checks import check_count
from jdgnn.errors import InputError, suggestion
from jdgnn.learning.layers.layer import Layer, of_maps
from jdgnn.learning.layers.modules import from_nnx
from jdgnn.learning.vectors import unit_norm

ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "identity": lambda z: z,
    "leaky_relu": functools.partial(nnx.leaky_relu, negative_slope=0.25),
    "relu": nnx.relu,
    "tanh": jnp.tanh,
}


def finish(linear: jax.Array, activation: str, normalize: bool) -> jax.Array:
    """Turns the linear map of a layer [F] into its output [F]."""
    output = ACTIVATIONS[activation](linear)
    return unit_norm(output) if normalize else output


@functools.cache
def finisher(activation: str, normalize: bool) -> Callable[[jax.Array], jax.Array]:
    """`finish` with these settings; the same settings give the same function."""
    return functools.partial(finish, activation=activation, normalize=normalize)


def sum_of_maps(
    units: int, activation: str, normalize: bool, aggregate: Callable[..., jax.Array], maps: tuple[tuple[str, str], ...]
) -> Layer:
    """A layer that is the finish of a sum of linear maps; the same arguments give the same layer.

    `maps` are pairs of a name and the input of a map, `own` or `aggregated`; the first map has the bias.
    """
    check_dense(units, activation, normalize)  # before the cache, to which 64.0 is 64
    return _sum_of_maps(units, activation, normalize, aggregate, maps)


@functools.cache
def _sum_of_maps(
    units: int, activation: str, normalize: bool, aggregate: Callable[..., jax.Array], maps: tuple[tuple[str, str], ...]
) -> Layer:
    class SumOfMaps(nnx.Module):
        def __init__(self, num_features: int, *, rngs: nnx.Rngs, param_dtype: DTypeLike) -> None:
            for number, (name, _) in enumerate(maps):
                linear = nnx.Linear(num_features, units, use_bias=not number, rngs=rngs, param_dtype=param_dtype)
                setattr(self, name, linear)

    def inputs(own: jax.Array, aggregated: jax.Array) -> dict[str, jax.Array]:
        vectors = {"own": own, "aggregated": aggregated}
        return {name: vectors[source] for name, source in maps}

    apply = of_maps(inputs, finisher(activation, normalize))
    return from_nnx(SumOfMaps, aggregate)._replace(apply=apply)


def check_dense(units: int, activation: str, normalize: bool) -> None:
    """Raises InputError unless these describe a built-in layer."""
    check_count("units", units)
    if activation not in ACTIVATIONS:
        raise InputError(f"activation: got {activation!r}; {suggestion(str(activation), ACTIVATIONS)}")
    if not isinstance(normalize, bool):
        raise InputError(f"normalize: expected True or False, got {normalize!r}")
