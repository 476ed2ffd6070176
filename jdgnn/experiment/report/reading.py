"""What a report knows of a run: everything its directory holds, whether it is finished or goes on.

Axes: N nodes, n nodes of a snapshot, W columns of embeddings, R repeats of a task, d nodes that are drawn, e
links that are.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.experiment.results.arrays import Arrays, read_arrays, within
from jdgnn.experiment.results.metrics_rows import sound_rows
from jdgnn.experiment.results.read import Settings, is_finished, read_config, read_summary, run_folders, settings_of
from jdgnn.experiment.run.directory import (
    EMBEDDINGS,
    METRICS,
    NETWORK,
    NODES,
    SNAPSHOTS,
)
from jdgnn.experiment.run.snapshots import Snapshots
from jdgnn.experiment.sweep.record import check_no_sweep

MOST_ROWS = 2000
"""Of the metrics; of more, every so many-th is taken."""

NETWORK_FORM = {
    "in_degree": "int N",
    "out_degree": "int N",
    "component_sizes": "int components",
    "labels": "int N?",
    "class_names": "text classes?",
    "node_names": "text N?",
    "drawn": "int d",
    "sources": "int e",
    "targets": "int e",
}
SNAPSHOT_FORM = {
    "nodes": "int n",
    "embeddings": "float n W",
    "scale": "float",
    "age": "int n",
    "wakes": "int n",
    "staleness": "float n",
    "distance": "float n",
    "scores": "text?",
    "probe": "float R?",
}
NODES_FORM = {"age": "int N", "wakes": "int N", "staleness": "float N", "distance": "float N"}


Scores = dict[str, dict[str, NDArray[np.float64]]]
"""By task and metric, a value for each repeat [R]."""


@dataclass(frozen=True)
class Snapshot:
    """What nodes held after a tick."""

    tick: int
    nodes: NDArray[Any]  # [n], ascending
    kept: NDArray[np.floating]  # [n, W], embeddings relative to the scale
    scale: float
    figures: Arrays  # age, wakes, staleness and distance [n]
    scores: Scores  # of what was learned

    def embeddings(self, nodes: NDArray[Any]) -> NDArray[np.float64]:
        """Those of some of its nodes."""
        return self.kept[np.searchsorted(self.nodes, nodes)].astype(np.float64) * self.scale


@dataclass(frozen=True)
class Run:
    """One run, as its directory tells."""

    path: Path
    config: str
    settings: Settings
    summary: dict[str, Any] | None  # of a finished run
    rows: list[dict[str, Any]]
    network: Arrays

    @property
    def num_nodes(self) -> int:
        """Number of nodes, N."""
        return len(self.network["in_degree"])

    @property
    def seed(self) -> int:
        """From which everything random follows."""
        seed = self.settings.get("seed", 0)
        return seed if isinstance(seed, int) else 0

    @cached_property
    def snapshots(self) -> list[Snapshot]:
        """By ascending tick; the last is what a finished run ended with, at all nodes."""
        folder = self.path / SNAPSHOTS
        taken = [_snapshot(path, tick, self.num_nodes) for tick, path in Snapshots(folder).paths().items()]
        if self.summary is None:
            return taken
        last = _last(self.path, self.summary["ticks"], self.num_nodes, self.summary)
        width = last.kept.shape[1]  # in runs of version 0.1.0 own features stand behind
        return [*(replace(one, kept=one.kept[:, :width]) for one in taken if one.tick < last.tick), last]


def _snapshot(path: Path, tick: int, num_nodes: int) -> Snapshot:
    arrays = read_arrays(path, SNAPSHOT_FORM)
    nodes = within(path, "nodes", arrays["nodes"], num_nodes)
    if not len(nodes) or (np.diff(nodes) <= 0).any():
        raise InputError(f"{path}: its nodes are none, or not in ascending order; repeat the run")
    kept, scale = _finite(path, arrays["embeddings"]), float(_finite(path, arrays["scale"]))
    return Snapshot(tick, nodes, kept, scale, _figures(arrays), _scores(path, arrays))


def _scores(path: Path, arrays: Arrays) -> Scores:
    if "probe" in arrays:  # of a version that knew one task only
        return {"linear_probe": {"": arrays["probe"]}} if len(arrays["probe"]) else {}
    try:
        found = json.loads(str(arrays.get("scores", "{}")))
        scores: Scores = {
            task: {metric: np.array(named["learned"], np.float64) for metric, named in metrics.items()}
            for task, metrics in found.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: its scores are not what jdgnn run writes; repeat the run") from error
    values = [one for metrics in scores.values() for one in metrics.values()]
    if any(one.ndim != 1 or not len(one) or not np.isfinite(one).all() for one in values) or not all(scores.values()):
        raise InputError(f"{path}: its scores are no finite numbers; repeat the run")
    return scores


def _last(folder: Path, tick: int, num_nodes: int, summary: dict[str, Any]) -> Snapshot:
    sizes = {"N": num_nodes}
    arrays = read_arrays(folder / EMBEDDINGS, {"embeddings": "float N W", "layer_widths": "int L"}, sizes)
    learned = arrays["embeddings"][:, : max(1, int(arrays["layer_widths"].sum()))]  # own features stand behind
    figures = read_arrays(folder / NODES, NODES_FORM, sizes)
    scores = {
        task: {metric: np.array(named["learned"]["values"]) for metric, named in metrics.items()}
        for task, metrics in summary["tasks"].items()
    }
    kept = _finite(folder / EMBEDDINGS, learned)
    return Snapshot(tick, np.arange(num_nodes), kept, 1.0, _figures(figures), scores)


def _figures(arrays: Arrays) -> Arrays:
    return {name: arrays[name] for name in NODES_FORM}


def _finite(path: Path, embeddings: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(embeddings).all():
        raise InputError(f"{path}: its embeddings are not finite; repeat the run")
    return embeddings


def read_run(path: Path) -> Run:
    """Reads the directory of one run.

    Raises:
      InputError: something in it is missing, or is not what `jdgnn run` writes.
    """
    config = read_config(path)
    network = read_arrays(path / NETWORK, NETWORK_FORM)
    for name in ("sources", "targets"):
        within(path / NETWORK, name, network[name], len(network["drawn"]))
    within(path / NETWORK, "drawn", network["drawn"], len(network["in_degree"]))
    for name in ("in_degree", "out_degree"):
        if network[name].size and not 0 <= network[name].min() <= network[name].max() < len(network[name]):
            raise InputError(
                f"{path / NETWORK}: its {name} counts more neighbours than there are nodes; repeat the run"
            )
    within(path / NETWORK, "labels", network.get("labels", np.zeros(0, np.int64)), 2**31)
    summary = read_summary(path) if is_finished(path) else None
    rows = _thinned(sound_rows(path / METRICS))
    if len({len(row[name]) for row in rows for name in ("loss", "effective_rank")}) > 1:
        raise InputError(f"{path / METRICS}: its rows are of different numbers of layers; repeat the run")
    return Run(path, config, settings_of(path, config), summary, rows, network)


def _thinned(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most `MOST_ROWS` rows, evenly, the last among them; never more than twice as many are held."""
    kept: list[dict[str, Any]] = []
    last, every = None, 1
    for number, row in enumerate(rows):
        last = row
        if number % every == 0:
            kept.append(row)
        if len(kept) >= 2 * MOST_ROWS:
            kept, every = kept[::2], 2 * every
    return kept if last is None or kept[-1] is last else [*kept, last]


def members(path: Path) -> list[Path]:
    """The directories of the runs in a directory that `jdgnn run` has made, as far as they have begun.

    Raises:
      InputError: it is no such directory, or no run in it has begun.

    Example:
      >>> members(Path("nowhere"))
      Traceback (most recent call last):
      jdgnn.errors.InputError: nowhere: there is no such directory; give one that jdgnn run has made
    """
    check_no_sweep(path)
    begun = [folder for folder in run_folders(path) if (folder / NETWORK).is_file()]
    if not begun:
        raise InputError(
            f"{path}: holds no run with a {NETWORK}; give a directory that jdgnn run has made, or repeat it"
        )
    return begun
