"""What a merge rule is, and how one is made of weights."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from jax.tree_util import Partial

from jdgnn.parts import ReadOff, as_partial, bound_to
from jdgnn.protocol.merging.mixing import merge_by_weight


class _Functions(NamedTuple):
    merge: Callable[..., Any]


class MergeRule(ReadOff, _Functions):
    """How a received model enters a node's own.

    Members:
      merge: `(params, age, received_params, received_age, fold_index) -> (params, age)`, one node. The models in the
        inbox are folded in one after another, `fold_index` counts them from 0; `params` and `age` are what the folds
        before have given. It sees all layers at once.

    Rules that give every number of the model the same mean, (1 − share) · own + share · received, are made by
    `mean_rule`. Of these, large networks are merged piece by piece and in place.
    """

    __slots__ = ()
    facts: ClassVar = {"weigh": "jdgnn.merging.mean_rule(weigh), which merges by it"}

    def __new__(cls, merge: Callable[..., Any], *, weigh: Callable[..., Any] | None = None) -> "MergeRule":
        """Makes a rule; `weigh`, which once stood beside `merge`, is not used, and a warning says so."""
        rule = super().__new__(cls, merge)
        rule._tell_unused(weigh=weigh)
        return rule

    @property
    def weigh(self) -> Callable[..., Any] | None:
        """`(age, received_age, fold_index) -> (share, age)`, by which `merge` takes means; None for other rules."""
        return (bound_to(merge_by_weight, self.merge) or {}).get("weigh")


def mean_rule(weigh: Callable[..., tuple[Any, Any]]) -> MergeRule:
    """Makes a merge rule of how the received model is weighed.

    Args:
      weigh: `(age, received_age, fold_index) -> (share, age)`, the share of the received model in the mean, 0 to 1.

    Returns:
      The rule.

    Raises:
      InputError: `weigh` is no function.

    Example:
      >>> import jax.numpy as jnp
      >>> rule = mean_rule(lambda age, received_age, fold_index: (0.25, age))
      >>> float(rule.merge(jnp.float32(0), 3, jnp.float32(1), 5, 0)[0])
      0.25
    """
    return MergeRule(merge=Partial(merge_by_weight, weigh=as_partial("weigh", weigh)))
