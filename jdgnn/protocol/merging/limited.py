"""Merging with models of similar age only."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jdgnn.protocol.arguments import checked_whole
from jdgnn.protocol.merging.age_weighted import weigh_by_age
from jdgnn.protocol.merging.merge_rule import MergeRule, mean_rule


def limited(limit: int | jax.Array = 1) -> MergeRule:
    """If the ages differ by more than a limit, the model with more updates is kept; else both are weighted by age.

    Source: Danner, Hegedűs & Jelasity, "Improving Gossip Learning via Limited Model Merging", ICCCI 2023.

    Args:
      limit: the largest difference of ages at which models are still mixed.

    Returns:
      The merge rule.

    Raises:
      InputError: the limit is not a whole number of at least 0.

    Example:
      >>> import jax.numpy as jnp
      >>> params, age = limited(limit=5).merge(jnp.array([0.0]), 3, jnp.array([4.0]), 9, 0)
      >>> float(params[0]), int(age)
      (4.0, 9)
    """
    return mean_rule(Partial(_weigh, limit=checked_whole("limit", limit)))


def _weigh(age: Any, received_age: Any, fold_index: Any, *, limit: int | jax.Array) -> tuple[jax.Array, jax.Array]:
    share, oldest = weigh_by_age(age, received_age, fold_index)
    lead = age - received_age
    return jnp.where(lead > limit, 0, jnp.where(-lead > limit, 1, share)), oldest
