"""Merge rules, one file each; a new one needs its file and its line in `MERGES`."""

from collections.abc import Callable

from jdgnn.protocol.merging.average import average
from jdgnn.protocol.merging.keep_own import keep_own
from jdgnn.protocol.merging.merge_rule import MergeRule

MERGES: dict[str, Callable[..., MergeRule]] = {
    "average": average,
    "keep_own": keep_own,
}

__all__ = ["MERGES", "MergeRule", "average", "keep_own"]
