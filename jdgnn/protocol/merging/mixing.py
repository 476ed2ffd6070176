"""The weighted mean of two models."""

from typing import Any

import jax
import jax.numpy as jnp


def mix(params: Any, received_params: Any, weight: Any, received_weight: Any) -> Any:
    """Takes the weighted mean of two models; numbers that are equal in both stay as they are, bit for bit.

    Args:
      params: one model, a tree of arrays.
      received_params: the other one.
      weight: weight of the first, at least 0; a scalar.
      received_weight: weight of the second, at least 0; the two weights need not add up to 1, but not to 0 either.

    Returns:
      The mean, in the dtypes of the first.

    Example:
      >>> float(mix(jnp.float32(0), jnp.float32(1), 3, 1))
      0.25
    """

    def of_leaf(own: jax.Array, received: jax.Array) -> jax.Array:
        dtype = jnp.result_type(own)
        part, other_part = jnp.asarray(weight, dtype), jnp.asarray(received_weight, dtype)
        share = other_part / (part + other_part)
        return jnp.where(own == received, own, (1 - share) * own + share * received)

    return jax.tree.map(of_leaf, params, received_params)
