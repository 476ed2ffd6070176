"""What a merge rule is, and how one is made of weights."""

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
    """How received models enter a node's own; a rule has either `merge` or `merge_all`.

    Members:
      merge: `(params, age, received_params, received_age, fold_index) -> (params, age)`, one node. The models in the
        inbox are folded in one after another, `fold_index` counts them from 0; `params` and `age` are what the folds
        before have given. It sees all layers at once.
      merge_all: `(own, received) -> own`, one node and all models of its inbox at once: a `jdgnn.merging.Model` and
        the `jdgnn.merging.Received` give the model after merging. It is not asked where nothing is received.
      divide: `(weight, num_sent) -> weight`, for rules whose models carry a weight: what remains of a node's weight
        after it has sent so many models, each of which carries as much. None for rules without weights.

    Rules that give every number of the model the same mean, (1 − share) · own + share · received, are made by
    `mean_rule`; those that weigh the whole inbox by the distances between models, by `inbox_mean_rule`. Of the first,
    large networks are merged piece by piece and in place.
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
        """Makes a rule; `weigh`, which once stood beside `merge`, is not used, and a warning says so."""
        rule = super().__new__(cls, merge, merge_all, divide)
        rule._tell_unused(weigh=weigh)
        return rule

    @property
    def weigh(self) -> Callable[..., Any] | None:
        """`(age, received_age, fold_index) -> (share, age)`, by which `merge` takes means; None for other rules."""
        return (bound_to(merge_by_weight, self.merge) or {}).get("weigh")

    @property
    def weigh_all(self) -> Callable[..., Any] | None:
        """The function of inner products by which `merge_all` takes means; None for other rules."""
        return (bound_to(merge_by_inner_products, self.merge_all) or {}).get("weigh_all")


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


def inbox_mean_rule(weigh_all: Callable[..., tuple[Any, Any]]) -> MergeRule:
    """Makes a merge rule of how the models of an inbox are weighed, all at once, by their distances from each other.

    The result is own + Σ wⱼ (receivedⱼ − own), summed in inbox order; numbers that a message did not carry have
    difference 0.

    Args:
      weigh_all: `(products [M, M], own_square [], age [], received) -> (weights [M], age)`: inner products of the
        differences of the received models from the node's own one, the square of the norm of that, its age, and the
        `jdgnn.merging.Received` without parameters. Where nothing was received weights are not looked at.

    Returns:
      The rule.

    Raises:
      InputError: `weigh_all` is no function.

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
