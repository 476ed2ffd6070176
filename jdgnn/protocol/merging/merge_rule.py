"""The type of merge rules, and rules made from weights."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from jax.tree_util import Partial

from jdgnn.parts import ReadOff, as_partial, bound_to
from jdgnn.protocol.merging.inner_products import merge_by_inner_products
from jdgnn.protocol.merging.mixing import merge_by_weight


class _Functions(NamedTuple):
    merge: Callable[..., Any] | None = None
    merge_all: Callable[..., Any] | None = None
    divide: Callable[..., Any] | None = None


class MergeRule(ReadOff, _Functions):
    """Merges received models into a node's own; a rule has either `merge` or `merge_all`.

    Members:
      merge: `(params, age, received_params, received_age, fold_index) -> (params, age)`, one node. The models in the
        inbox are folded in one after another; `fold_index` counts them from 0, and `params` and `age` are the results
        of the previous folds. It sees all layers at once.
      merge_all: `(own, received) -> own`, one node and all models of its inbox at once: a `jdgnn.merging.Model` and
        the `jdgnn.merging.Received` give the model after merging. It is not called if nothing was received.
      divide: `(weight, num_sent) -> weight`, for rules whose models carry a weight: the weight that remains at a node
        after it has sent that many models, each of which carries the same weight. None for rules without weights.

    `mean_rule` makes rules that give every number of the model the same mean, (1 − share) · own + share · received;
    `inbox_mean_rule` makes rules that weigh the whole inbox by the distances between models. With rules of the first
    kind, large networks are merged piece by piece and in place.
    """

    __slots__ = ()
    facts: ClassVar = {
        "weigh": "jdgnn.merging.mean_rule(weigh), which merges by it",
        "weigh_all": "jdgnn.merging.inbox_mean_rule(weigh_all), which merges by it",
    }

    def __new__(
        cls,
        merge: Callable[..., Any] | None = None,
        merge_all: Callable[..., Any] | None = None,
        divide: Callable[..., Any] | None = None,
        *,
        weigh: Callable[..., Any] | None = None,
    ) -> "MergeRule":
        """Makes a rule; `weigh`, an argument of earlier versions, is ignored with a warning."""
        rule = super().__new__(cls, merge, merge_all, divide)
        rule._tell_unused(weigh=weigh)
        return rule

    @property
    def weigh(self) -> Callable[..., Any] | None:
        """The function `(age, received_age, fold_index) -> (share, age)` of a `mean_rule`; None for other rules."""
        return (bound_to(merge_by_weight, self.merge) or {}).get("weigh")

    @property
    def weigh_all(self) -> Callable[..., Any] | None:
        """The function of inner products of an `inbox_mean_rule`; None for other rules."""
        return (bound_to(merge_by_inner_products, self.merge_all) or {}).get("weigh_all")


def mean_rule(weigh: Callable[..., tuple[Any, Any]]) -> MergeRule:
    """Makes a merge rule from a function that weighs the received model.

    Args:
      weigh: `(age, received_age, fold_index) -> (share, age)`, the share of the received model in the mean, 0 to 1.

    Returns:
      The rule.

    Raises:
      InputError: `weigh` is not a function.

    Example:
      >>> import jax.numpy as jnp
      >>> rule = mean_rule(lambda age, received_age, fold_index: (0.25, age))
      >>> float(rule.merge(jnp.float32(0), 3, jnp.float32(1), 5, 0)[0])
      0.25
    """
    return MergeRule(merge=Partial(merge_by_weight, weigh=as_partial("weigh", weigh)))


def inbox_mean_rule(weigh_all: Callable[..., tuple[Any, Any]]) -> MergeRule:
    """Makes a merge rule from a function that weighs all models of an inbox at once, by their distances.

    The result is own + Σ wⱼ (receivedⱼ − own), summed in inbox order; numbers that a message does not carry have
    difference 0.

    Args:
      weigh_all: `(products [M, M], own_square [], age [], received) -> (weights [M], age)`: inner products of the
        differences of the received models from the node's own, the squared norm of the own model, its age, and the
        `jdgnn.merging.Received` without parameters. Weights of places where nothing was received are ignored.

    Returns:
      The rule.

    Raises:
      InputError: `weigh_all` is not a function.

    Example:
      >>> import jax.numpy as jnp
      >>> from jdgnn import merging
      >>> nearest = inbox_mean_rule(lambda products, own_square, age, received: (
      ...     jnp.arange(2) == jnp.argmin(jnp.where(received.mask, jnp.diag(products), jnp.inf)), age))
      >>> received = merging.Received(jnp.array([9.0, 2.0]), jnp.zeros(2, int), jnp.ones(2, bool), jnp.ones(2, int))
      >>> float(nearest.merge_all(merging.Model(jnp.float32(0), 3), received).params)
      2.0
    """
    return MergeRule(merge_all=Partial(merge_by_inner_products, weigh_all=as_partial("weigh_all", weigh_all)))
