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
AT_EDGE = "on some splits the best C is the lowest or the highest tried; a better one may lie beyond"
"""The meaning of a mark next to a score of a linear probe."""


def embedding_name(name: str) -> str:
    """An embedding in words; one of another version by its name."""
    return EMBEDDINGS.get(name, name)


def title_of(task: str) -> str:
    """A task in words; a task of another version by its name."""
    return TASKS[task].title if task in TASKS else task


def heading_of(task: str) -> str:
    """A task in words at the beginning of a line."""
    return capitalised(title_of(task))


def capitalised(text: str) -> str:
    """A text with a capital letter first; `str.capitalize` would make the others small."""
    return f"{text[:1].upper()}{text[1:]}"


def metric_name(metric: str) -> str:
    """A metric in words, in percent."""
    return f"{METRIC_NAMES.get(metric, metric)} %"


def repeats_of(task: str) -> str:
    """The name of the repeats of a task: splits, or starts."""
    return TASKS[task].repeats if task in TASKS else "repeats"


def held_out_words(summary: dict[str, Any]) -> str:
    """A clause next to every score of a run that held out links; empty where none were held out."""
    held_out = summary.get("held_out_links")
    if not held_out:
        return ""
    return f"learned without {100 * held_out['share']:.0f} % of the links, held out for {title_of(HELD_OUT_FOR)}"
