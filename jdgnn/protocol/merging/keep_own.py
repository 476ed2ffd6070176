"""No merging."""

from typing import Any

from jdgnn.protocol.merging.merge_rule import MergeRule


def keep_own() -> MergeRule:
    """Models are sent and received, and change nothing: what gossip costs, without what it does.

    Example:
      >>> keep_own().merge(1.0, 3, 2.0, 5, 0)
      (1.0, 3)
    """
    return MergeRule(merge=_merge, weigh=_weigh)


def _merge(params: Any, age: Any, received_params: Any, received_age: Any, fold_index: Any) -> tuple[Any, Any]:
    del received_params, received_age, fold_index
    return params, age


def _weigh(age: Any, received_age: Any, fold_index: Any) -> tuple[Any, Any]:
    del received_age, fold_index
    return 0, age
