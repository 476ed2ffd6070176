"""The mean of two models."""

from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.protocol.merging.merge_rule import MergeRule, mean_rule


def average() -> MergeRule:
    """The mean of own and received parameters; the age is the larger of the two.

    Source: Ormándi, Hegedűs & Jelasity, "Gossip Learning with Linear Models on Fully Distributed Data",
    arXiv 1109.1396.

    Example:
      >>> import jax.numpy as jnp
      >>> params, age = average().merge(jnp.array([0.0]), 3, jnp.array([1.0]), 5, 0)
      >>> float(params[0]), int(age)
      (0.5, 5)
    """
    return mean_rule(_weigh)


def _weigh(age: Any, received_age: Any, fold_index: Any) -> tuple[float, jax.Array]:
    del fold_index
    return 0.5, jnp.maximum(age, received_age)
