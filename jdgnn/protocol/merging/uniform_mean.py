"""The mean of all models of an inbox."""

from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.protocol.merging.merge_rule import MergeRule, mean_rule
from jdgnn.protocol.merging.mixing import share_of


def uniform_mean() -> MergeRule:
    """The mean of the own model and all models merged in one wake, equally weighted; the age is the largest.

    The i-th model, counted from 0, enters with weight 1 / (i + 2).

    Example:
      >>> import jax.numpy as jnp
      >>> params, age = uniform_mean().merge(jnp.array([0.0]), 3, jnp.array([4.0]), 5, 2)
      >>> float(params[0]), int(age)
      (1.0, 5)
    """
    return mean_rule(_weigh)


def _weigh(age: Any, received_age: Any, fold_index: Any) -> tuple[jax.Array, jax.Array]:
    return share_of(1, fold_index + 1), jnp.maximum(age, received_age)
