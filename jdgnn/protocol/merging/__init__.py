"""Merge rules, one file each; a new one needs its file and its line in `MERGES`."""

from collections.abc import Callable

from jdgnn.protocol.merging.adopt import adopt
from jdgnn.protocol.merging.age_weighted import age_weighted
from jdgnn.protocol.merging.average import average
from jdgnn.protocol.merging.keep_own import keep_own
from jdgnn.protocol.merging.krum import krum
from jdgnn.protocol.merging.limited import limited
from jdgnn.protocol.merging.merge_rule import MergeRule, inbox_mean_rule, mean_rule
from jdgnn.protocol.merging.push_sum import push_sum
from jdgnn.protocol.merging.trimmed_mean import trimmed_mean
from jdgnn.protocol.merging.uniform_mean import uniform_mean
from jdgnn.protocol.merging.variance_corrected import variance_corrected
from jdgnn.protocol.model import Model, Received

MERGES: dict[str, Callable[..., MergeRule]] = {
    "adopt": adopt,
    "age_weighted": age_weighted,
    "average": average,
    "keep_own": keep_own,
    "krum": krum,
    "limited": limited,
    "push_sum": push_sum,
    "trimmed_mean": trimmed_mean,
    "uniform_mean": uniform_mean,
    "variance_corrected": variance_corrected,
}

__all__ = [
    "MERGES",
    "MergeRule",
    "Model",
    "Received",
    "adopt",
    "age_weighted",
    "average",
    "inbox_mean_rule",
    "keep_own",
    "krum",
    "limited",
    "mean_rule",
    "push_sum",
    "trimmed_mean",
    "uniform_mean",
    "variance_corrected",
]
