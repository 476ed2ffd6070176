"""Compares finished runs with the first of them by all common tasks, paired by seed and repeat."""

import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jdgnn.errors import InputError
from jdgnn.evaluation.tasks import HELD_OUT_FOR
from jdgnn.experiment.results import scores
from jdgnn.experiment.results.formatting import seeds_in_words
from jdgnn.experiment.results.labels import repeats_of, title_of
from jdgnn.experiment.results.read import Runs, differing, read_runs
from jdgnn.experiment.run.ways import mixed

NAMES = string.ascii_uppercase
"""Names of runs, in the order given."""

NOT_OF_THE_NETWORK = ("network.projection", "network.scale")
"""Keys of the table `network` that change the features of nodes, but neither nodes nor links."""

REMEDY = {
    "network": "compare runs on the same network",
    "evaluation": "compare runs that were evaluated on the same splits",
}

TASKS_KEY = "evaluation.tasks"
"""Runs that were evaluated by different tasks are compared by those they have in common."""


def compare(paths: Sequence[Path]) -> dict[str, Any]:
    """Compares runs, or runs with several seeds, with the first; returns the content of `--json`.

    `runs` have names A, B, … and in `took` their average effort; `tasks` has for each task that all have a `Spread` by
    run and embedding, and the `Difference` of learned embeddings to those of the first run over the common seeds, all
    as shares of 1; `configuration` has the keys that differ, with the value in each run, None where there is none.
    """
    if not 2 <= len(paths) <= len(NAMES):
        raise InputError(f"compare: expected 2 to {len(NAMES)} directories, got {len(paths)}")
    first, *others = runs = [read_runs(path) for path in paths]
    for other in others:
        _check_comparable(first, other)
    named = dict(zip(NAMES, runs, strict=False))
    common = scores.common(run.tasks for run in runs)
    return {
        "dataset": first.first["dataset"],
        "runs": [_described(name, of_name) for name, of_name in named.items()],
        "tasks": {task: _compared(task, named) for task in common},
        "tasks_left_out": sorted({task for run in runs for task in run.tasks} - {*common}),
        "mixed_ways": mixed((name, one.get("way")) for name, of in named.items() for one in of.summaries.values()),
        "configuration": {
            key: {name: of_name.settings.get(key) for name, of_name in named.items()}
            for key in differing(*(of_name.settings for of_name in runs))
        },
    }


def _described(name: str, runs: Runs) -> dict[str, Any]:
    return {
        "name": name,
        "directory": str(runs.path),
        "seeds": list(runs.summaries),
        "unfinished": [path.name for path in runs.unfinished],
        "held_out_links": runs.first.get("held_out_links"),
        "took": _took(runs),
    }


def _compared(task: str, named: Mapping[str, Runs]) -> dict[str, Any]:
    """The scores of all runs by a task, and differences to the first."""
    first = named[NAMES[0]]
    spreads = {name: scores.spreads_of([*runs.summaries.values()], task) for name, runs in named.items()}
    return {
        "metric": scores.metric_of(first.first, task),
        "num_repeats": first.num_repeats(task),
        "scores": {name: {one: found._asdict() for one, found in of.items()} for name, of in spreads.items()},
        "differences": [_difference(task, first, name, runs) for name, runs in named.items() if runs is not first],
    }


def _took(runs: Runs) -> dict[str, float | None]:
    """Ticks, node-updates and bytes sent of a run, means over its seeds; None where a summary lacks one."""
    found = list(runs.summaries.values())
    took = {
        "ticks": [one["ticks"] for one in found],
        "wakes": [one.get("wakes") for one in found],
        "bytes_sent": [None if (sent := one.get("bytes_sent")) is None else sum(sent.values()) for one in found],
    }
    return {key: None if None in values else sum(values) / len(values) for key, values in took.items()}


def _difference(task: str, first: Runs, name: str, runs: Runs) -> dict[str, Any]:
    found = scores.difference_of(runs.summaries, first.summaries, task)
    assert found is not None  # checked beforehand
    seeds = scores.common([runs.summaries, first.summaries])
    return {"of": name, "to": NAMES[0], "seeds": seeds, **found._asdict()}


def _check_comparable(first: Runs, other: Runs) -> None:
    held_out = [run for run in (first, other) if HELD_OUT_FOR in run.tasks]
    if len(held_out) == 1:
        rest = other if held_out[0] is first else first
        raise InputError(
            f"{other.path}: in {held_out[0].path} links were held out for {title_of(HELD_OUT_FOR)}, and in {rest.path} "
            f"none were, so that nodes learned from other links; compare runs with the same {TASKS_KEY}"
        )
    for table, key, *values in _must_be_equal(first, other):
        if values[0] != values[1]:
            there, here = ("not given" if value is None else value for value in values)
            raise InputError(f"{other.path}: {key} is {here}, and {there} in {first.path}; {REMEDY[table]}")
    if not scores.common([first.summaries, other.summaries]):
        raise InputError(
            f"{other.path}: has {seeds_in_words(list(other.summaries))}, and {first.path} has "
            f"{seeds_in_words(list(first.summaries))}: none in common, so nothing can be paired; run the "
            f"configuration of {other.path} again with --set seed={next(iter(first.summaries))}"
        )


def _must_be_equal(first: Runs, other: Runs) -> Iterator[tuple[str, str, Any, Any]]:
    """Facts of both runs, with the table of the configuration that decides them."""
    for key in differing(first.settings, other.settings):
        table = key.partition(".")[0]
        if table in REMEDY and key not in NOT_OF_THE_NETWORK and not key.startswith(TASKS_KEY):
            yield table, key, first.settings.get(key), other.settings.get(key)
    for key in ("dataset", "nodes", "directed_edges"):
        yield "network", key, first.first[key], other.first[key]
    common = scores.common([first.tasks, other.tasks])
    if not common:
        yield "evaluation", "tasks", ", ".join(first.tasks), ", ".join(other.tasks)
    for task in common:
        yield "network", "metric", scores.metric_of(first.first, task), scores.metric_of(other.first, task)
        yield "evaluation", f"number of {repeats_of(task)}", first.num_repeats(task), other.num_repeats(task)
