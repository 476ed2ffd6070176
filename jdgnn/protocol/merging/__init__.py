"""Merge rules, one file each; a new one needs its file and its line in `MERGES`."""

from collections.abc import Callable

from jdgnn.protocol.merging.adopt import adopt
from jdgnn.protocol.merging.age_weighted import age_weighted
from jdgnn.protocol.merging.average import average
from jdgnn.protocol.merging.keep_own import keep_own
from jdgnn.protocol.merging.limited import limited
from jdgnn.protocol.merging.merge_rule import MergeRule, mean_rule
from jdgnn.protocol.merging.uniform_mean import uniform_mean
from jdgnn.protocol.merging.variance_corrected import variance_corrected

MERGES: dict[str, Callable[..., MergeRule]] = {
    "adopt": adopt,
    "age_weighted": age_weighted,
    "average": average,
    "keep_own": keep_own,
    "limited": limited,
    "uniform_mean": uniform_mean,
    "variance_corrected": variance_corrected,
}

__all__ = [
    "MERGES",
    "MergeRule",
    "adopt",
    "age_weighted",
    "average",
    "keep_own",
    "limited",
    "mean_rule",
    "uniform_mean",
    "variance_corrected",
]
