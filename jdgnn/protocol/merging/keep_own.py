"""The rule that merges nothing."""

from typing import Any

from jdgnn.protocol.merging.merge_rule import MergeRule, mean_rule


def keep_own() -> MergeRule:
    """Received models change nothing: the cost of gossip without its effect.

    Example:
      >>> keep_own().merge(1.0, 3, 2.0, 5, 0)
      (1.0, 3)
    """
    return mean_rule(_weigh)


def _weigh(age: Any, received_age: Any, fold_index: Any) -> tuple[Any, Any]:
    del received_age, fold_index
    return 0, age
