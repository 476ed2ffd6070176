"""What a merge rule is."""

from collections.abc import Callable
from typing import Any, NamedTuple


class MergeRule(NamedTuple):
    """How a received model enters a node's own.

    Members:
      merge: `(params, age, received_params, received_age, fold_index) -> (params, age)`, one node. The models in the
        inbox are folded in one after another, `fold_index` counts them from 0; `params` and `age` are what the folds
        before have given. It sees all layers at once.
      weigh: `(age, received_age, fold_index) -> (share, age)`, for rules that give every number of the model the same
        mean, (1 − share) · own + share · received: the share of what is received. Where models can be merged number by
        number, large networks are merged piece by piece and in place. None for other rules.
    """

    merge: Callable[..., Any]
    weigh: Callable[..., Any] | None = None
