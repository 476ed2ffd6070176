"""The mean weighted by ages."""

from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.protocol.merging.merge_rule import MergeRule, mean_rule
from jdgnn.protocol.merging.mixing import share_of


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
    return mean_rule(weigh_by_age)


def weigh_by_age(age: Any, received_age: Any, fold_index: Any) -> tuple[jax.Array, jax.Array]:
    """Weighs by age, equally if both ages are 0; the age is the larger."""
    del fold_index
    oldest = jnp.maximum(age, received_age)
    is_untrained = oldest == 0
    own, received = (jnp.where(is_untrained, 1, one_age) for one_age in (age, received_age))
    return share_of(received, own), oldest
