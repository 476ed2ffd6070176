"""The rule by which models walk."""

from typing import Any

from jdgnn.protocol.merging.merge_rule import MergeRule, mean_rule


def adopt() -> MergeRule:
    """The received model replaces the node's own, with its age: models walk from node to node, unmixed.

    This is the only rule by which the age of a node's model can decrease.

    Example:
      >>> adopt().merge(1.0, 3, 2.0, 1, 0)
      (2.0, 1)
    """
    return mean_rule(_weigh)


def _weigh(age: Any, received_age: Any, fold_index: Any) -> tuple[Any, Any]:
    del age, fold_index
    return 1, received_age
