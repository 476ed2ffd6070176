"""Weights by age."""

from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.protocol.merging.merge_rule import MergeRule
from jdgnn.protocol.merging.mixing import mix


def age_weighted() -> MergeRule:
    """The mean of own and received parameters, weighted by their ages; the age is the larger of the two.

    Two models of age 0 have the same weight.

    Source: Ormándi, Hegedűs & Jelasity, "Gossip Learning with Linear Models on Fully Distributed Data",
    arXiv 1109.1396.

    Example:
      >>> import jax.numpy as jnp
      >>> params, age = age_weighted().merge(jnp.array([0.0]), 3, jnp.array([4.0]), 1, 0)
      >>> float(params[0]), int(age)
      (1.0, 3)
    """
    return MergeRule(merge=_merge)


def _merge(params: Any, age: Any, received_params: Any, received_age: Any, fold_index: Any) -> tuple[Any, jax.Array]:
    del fold_index
    oldest = jnp.maximum(age, received_age)
    is_untrained = oldest == 0
    weights = (jnp.where(is_untrained, 1, one_age) for one_age in (age, received_age))
    return mix(params, received_params, *weights), oldest
