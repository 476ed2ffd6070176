"""Checks of the arguments of parts; each raises InputError with one sentence that names the argument."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.checks import check_number
from jdgnn.errors import InputError

_LIMIT = 2**31 - 1  # ticks and counts are int32


def is_known(*values: Any) -> bool:
    """Whether numbers can be compared now: none of them is being traced."""
    return not any(isinstance(value, jax.core.Tracer) for value in values)


def checked_prob(name: str, value: Any) -> Any:
    """Returns a probability as a float, an array as it is; InputError unless it is from 0 to 1 or being traced."""
    if not is_known(value):
        return value
    prob = check_number(name, value)
    if not 0 <= prob <= 1:
        raise InputError(f"{name}: expected a number from 0 to 1, got {value!r}")
    return prob


def checked_whole(name: str, value: Any, *, minimum: int = 0) -> Any:
    """Returns a whole number as int, an array as int32; InputError if it does not fit, unless it is being traced."""
    if isinstance(value, jax.Array):
        is_whole = value.ndim == 0 and jnp.issubdtype(value.dtype, jnp.integer)
    else:
        is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or (is_known(value) and not minimum <= value < _LIMIT):
        raise InputError(f"{name}: expected a whole number of at least {minimum}, below 2**31 - 1, got {value!r}")
    return jnp.int32(value) if isinstance(value, jax.Array) else int(value)
