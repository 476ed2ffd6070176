"""Reads a run for a report: the content of its directory, whether it is finished or not.

Axes: N nodes, n nodes of a snapshot, W columns of embeddings, R repeats of a task, d nodes that are drawn, e links that
are drawn.
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
from jdgnn.experiment.results.arrays import Arrays, numbers_below, read_arrays
from jdgnn.experiment.results.metrics_rows import sound_rows
from jdgnn.experiment.results.read import Settings, is_finished, read_config, read_summary, run_folders, settings_of
from jdgnn.experiment.results.reading import reading
from jdgnn.experiment.run.directory import EMBEDDINGS, METRICS, NETWORK, NODES, SNAPSHOTS
from jdgnn.experiment.run.snapshots import Snapshots
from jdgnn.experiment.sweep.record import check_no_sweep

MOST_ROWS = 2000
"""Of the metrics; of more, an even selection."""

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
"""Of learned embeddings by task and metric, a value for each repeat [R]."""


@dataclass(frozen=True)
class Snapshot:
    """The nodes after a tick."""

    tick: int
    nodes: NDArray[Any]  # [n], ascending
    kept: NDArray[np.floating]  # [n, W], embeddings relative to the scale
    scale: float
    statistics: Arrays  # age, wakes, staleness and distance [n]
    scores: Scores

    def embeddings(self, nodes: NDArray[Any]) -> NDArray[np.float64]:
        """The embeddings of some of its nodes."""
        return self.kept[self.places_of(nodes)].astype(np.float64) * self.scale

    def places_of(self, nodes: NDArray[Any]) -> NDArray[np.int64]:
        """The rows of some of its nodes."""
        return np.searchsorted(self.nodes, nodes)


@dataclass(frozen=True)
class Run:
    """One run."""

    path: Path
    config: str
    settings: Settings
    summary: dict[str, Any] | None  # of a finished run
    rows: list[dict[str, Any]]
    network: Arrays

    @cached_property
    def table(self) -> Any:
        """The rows as a table by tick; names of columns have keys and indices between dots, as `loss.0`."""
        import pandas as pd

        return pd.DataFrame([dict(_flat("", row)) for row in self.rows], [row["tick"] for row in self.rows])

    @property
    def num_nodes(self) -> int:
        """Number of nodes, N."""
        return len(self.network["in_degree"])

    @property
    def seed(self) -> int:
        """The seed of the configuration."""
        return int(self.settings.get("seed", 0))

    @property
    def tick(self) -> int:
        """The last recorded tick."""
        return int(self.rows[-1]["tick"]) if self.rows else 0

    @cached_property
    def snapshots(self) -> list[Snapshot]:
        """By ascending tick; the last one of a finished run is its end, with all nodes."""
        paths = Snapshots(self.path / SNAPSHOTS).paths()
        taken = [_snapshot(path, tick, self.num_nodes) for tick, path in paths.items()]
        if self.summary is None:
            return taken
        last = _last(self.path, self.num_nodes, self.summary)
        width = last.kept.shape[1]  # runs of version 0.1.0 keep the features of nodes behind
        return [*(replace(one, kept=one.kept[:, :width]) for one in taken if one.tick < last.tick), last]


def _snapshot(path: Path, tick: int, num_nodes: int) -> Snapshot:
    arrays = read_arrays(path, SNAPSHOT_FORM)
    statistics = {name: arrays[name] for name in NODES_FORM}
    with reading(path):
        nodes = numbers_below(num_nodes, "nodes", arrays["nodes"])
        if not len(nodes) or (np.diff(nodes) <= 0).any():  # they are searched by bisection
            raise ValueError("nodes: expected some, in ascending order")
        scale, scores = float(_finite("scale", arrays["scale"])), _scores(arrays)
        return Snapshot(tick, nodes, _finite("embeddings", arrays["embeddings"]), scale, statistics, scores)


def _finite(name: str, numbers: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name}: expected finite numbers")
    return numbers


def _scores(arrays: Arrays) -> Scores:
    if "probe" in arrays:  # of a version that had one task only
        return {"linear_probe": {"": arrays["probe"]}} if len(arrays["probe"]) else {}
    return {
        task: {metric: _values(named["learned"]) for metric, named in metrics.items()}
        for task, metrics in json.loads(str(arrays.get("scores", "{}"))).items()
    }


def _values(scores: Any) -> NDArray[np.float64]:
    values = np.array(scores, np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError("scores: expected a value for each repeat")
    return _finite("scores", values)


def _last(folder: Path, num_nodes: int, summary: dict[str, Any]) -> Snapshot:
    arrays = read_arrays(folder / EMBEDDINGS, {"embeddings": "float N W", "layer_widths": "int L"}, N=num_nodes)
    learned = arrays["embeddings"][:, : max(1, int(arrays["layer_widths"].sum()))]  # features stand behind
    scores = {
        task: {metric: np.array(named["learned"]["values"]) for metric, named in metrics.items()}
        for task, metrics in summary["tasks"].items()
    }
    statistics = read_arrays(folder / NODES, NODES_FORM, N=num_nodes)
    with reading(folder / EMBEDDINGS):
        _finite("embeddings", learned)
    return Snapshot(summary["ticks"], np.arange(num_nodes), learned, 1.0, statistics, scores)


def read_run(path: Path) -> Run:
    """Reads the directory of one run."""
    config = read_config(path)
    network = read_arrays(path / NETWORK, NETWORK_FORM)
    with reading(path / NETWORK):
        num_nodes, num_drawn = len(network["in_degree"]), len(network["drawn"])
        limits = {"sources": num_drawn, "targets": num_drawn, "drawn": num_nodes, "labels": 2**31}
        for name, end in (limits | {"in_degree": num_nodes, "out_degree": num_nodes}).items():
            numbers_below(end, name, network.get(name, np.zeros(0, np.int64)))
    summary = read_summary(path) if is_finished(path) else None
    rows = _thinned(sound_rows(path / METRICS))
    if len({len(row[name]) for row in rows for name in ("loss", "effective_rank")}) > 1:
        raise InputError(f"{path / METRICS}: its rows are of different numbers of layers; repeat the run")
    return Run(path, config, settings_of(path, config), summary, rows, network)


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The numbers in nested lists and tables, with the path to each."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _flat(f"{name}.{key}" if name else str(key), inner)
    else:
        yield name, value


def _thinned(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """An even selection of at most twice `MOST_ROWS` rows, the last among them."""
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
    """The directories of the runs that have begun in a directory that `jdgnn run` has made."""
    check_no_sweep(path)
    begun = [folder for folder in run_folders(path) if (folder / NETWORK).is_file()]
    if not begun:
        raise InputError(f"{path}: holds no run with a {NETWORK}; give a directory that jdgnn run has made")
    return begun
