"""No merging with models that are too far behind."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jdgnn.protocol.arguments import checked_whole
from jdgnn.protocol.merging.age_weighted import age_weighted
from jdgnn.protocol.merging.merge_rule import MergeRule


def limited(limit: int | jax.Array = 1) -> MergeRule:
    """Where the ages differ by more than a limit, the model with more updates stays alone; else both are age-weighted.

    Source: Danner, Hegedűs & Jelasity, "Improving Gossip Learning via Limited Model Merging", ICCCI 2023.

    Args:
      limit: the largest difference of ages at which models are still mixed.

    Returns:
      The merge rule.

    Raises:
      InputError: the limit is no whole number of at least 0.

    Example:
      >>> import jax.numpy as jnp
      >>> params, age = limited(limit=5).merge(jnp.array([0.0]), 3, jnp.array([4.0]), 9, 0)
      >>> float(params[0]), int(age)
      (4.0, 9)
    """
    return MergeRule(merge=Partial(_merge, limit=checked_whole("limit", limit)))


def _merge(
    params: Any, age: Any, received_params: Any, received_age: Any, fold_index: Any, *, limit: int | jax.Array
) -> tuple[Any, jax.Array]:
    mixed, oldest = age_weighted().merge(params, age, received_params, received_age, fold_index)
    lead = age - received_age
    is_own_alone, is_received_alone = lead > limit, -lead > limit

    def choose(own: jax.Array, received: jax.Array, both: jax.Array) -> jax.Array:
        return jnp.where(is_own_alone, own, jnp.where(is_received_alone, received, both))

    return jax.tree.map(choose, params, received_params, mixed), oldest
