"""The names of embeddings, tasks and metrics in tables and plots: in one place, so that all pages agree."""

from typing import Any

from jdgnn.evaluation.task import METRIC_NAMES
from jdgnn.evaluation.tasks import HELD_OUT_FOR, TASKS

EMBEDDINGS = {
    "learned": "learned",
    "untrained": "untrained encoder",
    "raw": "raw features",
    "propagated_1hop": "features, 1 hop",
    "propagated_2hop": "features, 2 hops",
    "propagated_3hop": "features, 3 hops",
    "projected_2hop": "projected, 2 hops",
}
"""Evaluated embeddings: the learned ones, and their baselines."""

EDGE = "!"
AT_EDGE = "the best C is the lowest or the highest tried on some splits: a better one may lie beyond"
"""The meaning of a mark next to a score of a linear probe."""


def embedding_name(name: str) -> str:
    """An embedding in words; one of another version by its name.

    >>> embedding_name("propagated_2hop"), embedding_name("other")
    ('features, 2 hops', 'other')
    """
    return EMBEDDINGS.get(name, name)


def title_of(task: str) -> str:
    """A task in words; a task of another version by its name.

    >>> title_of("knn"), title_of("of_my_own")
    ('k nearest neighbours', 'of_my_own')
    """
    return TASKS[task].title if task in TASKS else task


def heading_of(task: str) -> str:
    """A task in words at the beginning of a line.

    >>> heading_of("knn")
    'K nearest neighbours'
    """
    title = title_of(task)
    return f"{title[:1].upper()}{title[1:]}"


def metric_name(metric: str) -> str:
    """A metric in words, in percent.

    >>> metric_name("roc_auc")
    'ROC-AUC %'
    """
    return f"{METRIC_NAMES.get(metric, metric)} %"


def repeats_of(task: str) -> str:
    """What the values of a task are taken over."""
    return TASKS[task].repeats if task in TASKS else "repeats"


def held_out_words(summary: dict[str, Any]) -> str:
    """A clause beside every number of a run that held out links; empty where none were.

    >>> held_out_words({"held_out_links": {"share": 0.1, "pairs": 50}})
    'learned without 10 % of the links, held out for link prediction'
    """
    held_out = summary.get("held_out_links")
    if not held_out:
        return ""
    return f"learned without {100 * held_out['share']:.0f} % of the links, held out for {title_of(HELD_OUT_FOR)}"
