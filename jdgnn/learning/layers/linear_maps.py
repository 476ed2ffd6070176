"""The dense step that the built-in layers share: activation and normalisation of a linear map."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx

from jdgnn.checks import check_count
from jdgnn.errors import InputError, suggestion
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


def check_dense(units: int, activation: str, normalize: bool) -> None:
    """Raises InputError unless these describe a built-in layer."""
    check_count("units", units)
    if activation not in ACTIVATIONS:
        raise InputError(f"activation: got {activation!r}; {suggestion(str(activation), ACTIVATIONS)}")
    if not isinstance(normalize, bool):
        raise InputError(f"normalize: got {normalize!r}, and True or False is needed")
