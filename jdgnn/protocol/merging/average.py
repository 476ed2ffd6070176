"""Half and half."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jdgnn.protocol.merging.merge_rule import MergeRule


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
    return MergeRule(merge=_merge, weigh=Partial(_weigh))


def _merge(params: Any, age: Any, received_params: Any, received_age: Any, fold_index: Any) -> tuple[Any, jax.Array]:
    del fold_index
    merged = jax.tree.map(lambda own, received: 0.5 * (own + received), params, received_params)
    return merged, jnp.maximum(age, received_age)


def _weigh(age: Any, received_age: Any, fold_index: Any) -> tuple[float, jax.Array]:
    del fold_index
    return 0.5, jnp.maximum(age, received_age)
