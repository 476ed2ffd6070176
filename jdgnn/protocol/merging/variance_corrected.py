"""Merging that preserves the norms of weights."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jdgnn.errors import InputError
from jdgnn.parts import as_argument
from jdgnn.protocol.merging.average import average
from jdgnn.protocol.merging.merge_rule import MergeRule

FEW_EPS = 64  # a norm below this many rounding errors of the largest norm is only rounding


def variance_corrected(rule: MergeRule | None = None) -> MergeRule:
    """Rescales the result of another rule, array by array, to the mean of the norms of the two models.

    The mean of independent models has a smaller norm than they have, so repeated averaging of independently initialised
    models shrinks their weights to zero. An array is not rescaled if the smallest of the three norms (own, received,
    merged) is below 64 eps of its dtype times the largest, so that rounding errors are not amplified, or if the own and
    received arrays are equal. The age is that of the rule.

    Source: Tian, Al-Ars, Kitsak & Hofstee, "Vanishing Variance Problem in Fully Decentralized Neural-Network Systems",
    arXiv 2404.04616.

    Args:
      rule: the rule whose result is rescaled; average if None.

    Returns:
      The merge rule.

    Raises:
      InputError: the rule is not a merge rule, or sees the whole inbox.

    Example:
      >>> import jax.numpy as jnp
      >>> params, age = variance_corrected().merge(jnp.array([3.0, 0.0]), 3, jnp.array([0.0, 4.0]), 5, 0)
      >>> [round(float(entry), 4) for entry in params], int(age)
      ([2.1, 2.8], 5)
    """
    if rule is not None and not isinstance(rule, MergeRule):
        raise InputError(f"rule: expected a rule such as jdgnn.merging.average(), got {rule!r}")
    if rule is not None and rule.merge is None:
        raise InputError("rule: expected one that merges one model after another, got one that sees the whole inbox")
    return MergeRule(merge=Partial(_merge, rule=as_argument(average() if rule is None else rule).merge))


def _merge(
    params: Any,
    age: Any,
    received_params: Any,
    received_age: Any,
    fold_index: Any,
    *,
    rule: Callable[..., tuple[Any, Any]],
) -> tuple[Any, Any]:
    merged, merged_age = rule(params, age, received_params, received_age, fold_index)
    return jax.tree.map(_rescaled, merged, params, received_params), merged_age


def _rescaled(merged: jax.Array, own: jax.Array, received: jax.Array) -> jax.Array:
    norm, own_norm, received_norm = (jnp.sqrt(jnp.sum(jnp.square(leaf))) for leaf in (merged, own, received))
    smallest = jnp.minimum(jnp.minimum(norm, own_norm), received_norm)
    largest = jnp.maximum(jnp.maximum(norm, own_norm), received_norm)
    is_corrected = (smallest > 0) & (smallest >= FEW_EPS * jnp.finfo(norm.dtype).eps * largest)
    is_corrected &= jnp.any(own != received)
    factor = 0.5 * (own_norm + received_norm) / jnp.where(is_corrected, norm, 1)
    return jnp.where(is_corrected, merged * factor, merged)
