"""Finished runs against the first of them: what was learned, in pairs by seed and by split."""

import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jdgnn.errors import InputError
from jdgnn.experiment.results import probed
from jdgnn.experiment.results.comparison_tables import seeds_in_words
from jdgnn.experiment.results.read import Runs, differing, read_runs
from jdgnn.experiment.results.statistics import paired_difference, spread
from jdgnn.experiment.run.ways import mixed

NAMES = string.ascii_uppercase
"""What runs are called, in the order given."""

NOT_OF_THE_NETWORK = ("network.projection", "network.scale")
"""Keys of the table `network` that change what nodes measure, but not who they are."""

REMEDY = {
    "network": "compare runs on the same network",
    "evaluation": "compare runs that were judged on the same splits",
}


def compare(paths: Sequence[Path]) -> dict[str, Any]:
    """Compares runs, or runs with several seeds, with the first.

    Args:
      paths: directories that `jdgnn run` has made, with or without `--seeds`; at least two.

    Returns:
      What `--json` writes: `dataset` and `metric`; `runs`, with `name` (A, B, …), `directory`, `seeds`, `unfinished`,
      `num_splits`, in `took` what a run took on average (`ticks`, `wakes`, which are node-updates, and `bytes_sent`),
      and in `probe` the `Spread` of each probed figure; `differences`, with `of`, `to`, the common `seeds` and the
      `Difference` of what was learned (both of `jdgnn.experiment.results.statistics`); `mixed_ways`, a clause if not
      all were computed in one way; and `configuration`, the keys that differ, with the value in each run, None where
      there is none. Shares of 1, not percent.

    Raises:
      InputError: there are too few or too many directories, one does not hold finished runs, its network, metric or
        splits are not those of the first, or it has no seed in common with the first.

    Example:
      >>> compare([Path("nowhere"), Path("elsewhere")])
      Traceback (most recent call last):
      jdgnn.errors.InputError: nowhere: there is no such directory; give one that jdgnn run has made
    """
    if not 2 <= len(paths) <= len(NAMES):
        raise InputError(f"compare: got {len(paths)} directories, and from 2 to {len(NAMES)} are needed")
    first, *others = runs = [read_runs(path) for path in paths]
    for other in others:
        _check_same_network(first, other)
        _check_same_splits(first, other)
        _common(first, other)
    named = dict(zip(NAMES, runs, strict=False))
    return {
        "dataset": first.first["dataset"],
        "metric": probed.metric(first.first),
        "runs": [_described(name, of_name) for name, of_name in named.items()],
        "differences": [_difference(first, name, of_name) for name, of_name in named.items() if of_name is not first],
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
        "num_splits": runs.values("learned").shape[1],
        "took": _took(runs),
        "probe": {probe: spread(runs.values(probe))._asdict() for probe in runs.names},
    }


def _took(runs: Runs) -> dict[str, float | None]:
    """Ticks, node-updates and bytes sent of a run, means over its seeds; None where a summary does not say."""
    found = list(runs.summaries.values())
    wakes = [one.get("wakes") for one in found]
    sent = [sum(one["bytes_sent"].values()) if "bytes_sent" in one else None for one in found]
    return {"ticks": _mean([one["ticks"] for one in found]), "wakes": _mean(wakes), "bytes_sent": _mean(sent)}


def _mean(values: Sequence[Any]) -> float | None:
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    return sum(numbers) / len(numbers) if len(numbers) == len(values) else None


def _difference(first: Runs, name: str, runs: Runs) -> dict[str, Any]:
    seeds = _common(first, runs)
    difference = paired_difference(runs.values("learned", seeds), first.values("learned", seeds))
    return {"of": name, "to": NAMES[0], "seeds": seeds, **difference._asdict()}


def _common(first: Runs, other: Runs) -> list[int]:
    """Seeds that both have."""
    seeds = [seed for seed in other.summaries if seed in first.summaries]
    if not seeds:
        raise InputError(
            f"{other.path}: has {seeds_in_words(list(other.summaries))}, and {first.path} has "
            f"{seeds_in_words(list(first.summaries))}: none in common, so that nothing can be paired; run the "
            f"configuration of {other.path} again with --set seed={next(iter(first.summaries))}"
        )
    return seeds


def _check_same_network(first: Runs, other: Runs) -> None:
    _check_same_settings(first, other, "network")
    for key in ("dataset", "nodes", "directed_edges"):
        if other.first[key] != first.first[key]:
            raise _mismatch(first, other, key, (first.first[key], other.first[key]), "network")


def _check_same_splits(first: Runs, other: Runs) -> None:
    metrics = probed.metric(first.first), probed.metric(other.first)
    if metrics[0] != metrics[1]:
        raise _mismatch(first, other, "metric", metrics, "network")
    _check_same_settings(first, other, "evaluation")
    num_splits = first.values("learned").shape[1], other.values("learned").shape[1]
    if num_splits[0] != num_splits[1]:
        raise _mismatch(first, other, "number of splits", num_splits, "evaluation")


def _check_same_settings(first: Runs, other: Runs, table: str) -> None:
    for key in differing(first.settings, other.settings):
        if key.startswith(f"{table}.") and key not in NOT_OF_THE_NETWORK:
            raise _mismatch(first, other, key, (first.settings.get(key), other.settings.get(key)), table)


def _mismatch(first: Runs, other: Runs, key: str, found: tuple[Any, Any], table: str) -> InputError:
    here, there = ("not given" if value is None else value for value in found[::-1])
    return InputError(f"{other.path}: {key} is {here}, and {there} in {first.path}; {REMEDY[table]}")
