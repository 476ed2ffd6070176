"""Rules that give every number of a model the same weighted mean."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def merge_by_weight(
    params: Any, age: Any, received_params: Any, received_age: Any, fold_index: Any, *, weigh: Callable[..., Any]
) -> tuple[Any, Any]:
    """The `merge` of rules that weigh; see `MergeRule`."""
    share, new_age = weigh(age, received_age, fold_index)
    return mix(params, received_params, share), new_age


def mix(params: Any, received_params: Any, share: Any) -> Any:
    """Weighted mean of two models, in the dtypes of the first; `share` is the scalar weight of the second.

    Numbers that are equal in both stay as they are, and shares of 0 and 1 give one of the models, bit for bit.

    Example:
      >>> float(mix(jnp.float32(0), jnp.float32(1), 0.25))
      0.25
    """
    if isinstance(share, int) and share in (0, 1):  # known before anything is computed
        return received_params if share else params

    def of_leaf(own: jax.Array, received: jax.Array) -> jax.Array:
        part = jnp.asarray(share, jnp.result_type(own))
        mean = (1 - part) * own + part * received
        return jnp.where((own == received) | (part == 0), own, jnp.where(part == 1, received, mean))

    return jax.tree.map(of_leaf, params, received_params)


def share_of(received: Any, own: Any) -> jax.Array:
    """The share of one weight in the sum of two, for whole numbers that are not both zero."""
    part, other = jnp.asarray(received, float), jnp.asarray(own, float)
    return part / (part + other)
