"""Checks of what the caller gives, shared by all that take numbers or arrays."""

import math
from typing import Any

import jax
import numpy as np

from jdgnn.errors import InputError


def check_not_consumed(name: str, tree: Any) -> None:
    """Raises InputError if an array of a tree is gone, since a run was given it with its state."""
    if is_consumed(tree):
        raise InputError(
            f"{name}: an earlier run has consumed it; continue with the state that run returned, or run on "
            "jdgnn.copy(state)"
        )


def is_consumed(tree: Any) -> bool:
    """Whether an array of a tree is gone."""
    arrays = (leaf for leaf in jax.tree.leaves(tree) if isinstance(leaf, jax.Array))
    return any(array.is_deleted() for array in arrays if not isinstance(array, jax.core.Tracer))


def check_count(name: str, value: Any, *, minimum: int = 1) -> None:
    """Raises InputError unless `value` is a whole number of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise InputError(f"{name}: expected a whole number of at least {minimum}, got {value!r}")


def check_flag(name: str, value: Any) -> None:
    """Raises InputError unless `value` is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{name}: expected True or False, got {value!r}")


def check_number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    minimum: float | None = None,
    below: float | None = None,
    maximum: float | None = None,
) -> Any:
    """Checks that `value` is a finite number within the bounds; arrays that are being traced pass.

    Returns:
      The number as a float, so that 1 and 1.0 make the same program; arrays as they are.

    Raises:
      InputError: it is no such number.
    """
    if isinstance(value, jax.core.Tracer):
        return value
    wanted = " and ".join(
        text
        for bound, text in (
            (above, f"above {above}"),
            (minimum, f"of at least {minimum}"),
            (below, f"below {below}"),
            (maximum, f"of at most {maximum}"),
        )
        if bound is not None
    )
    is_number = np.ndim(value) == 0 and not isinstance(value, bool | str) and _is_finite(value)
    if (
        not is_number
        or (above is not None and value <= above)
        or (minimum is not None and value < minimum)
        or (below is not None and value >= below)
        or (maximum is not None and value > maximum)
    ):
        raise InputError(f"{name}: expected one finite number{' ' + wanted if wanted else ''}, got {value!r}")
    return value if isinstance(value, jax.Array) else float(value)


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except (TypeError, OverflowError):
        return False
