"""The panel of the map: embeddings in two dimensions, animated over time.

Axes: n nodes on the map.
"""

import base64
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.evaluation.maps import over_time
from jdgnn.evaluation.vectors import unit_length
from jdgnn.experiment.report.page import Panel
from jdgnn.experiment.report.placing import places
from jdgnn.experiment.report.reading import Run, Snapshot
from jdgnn.experiment.report.style import CLASSES, SYMBOLS
from jdgnn.experiment.report.variants import Variant
from jdgnn.experiment.run.snapshots import nodes_kept

MOST_NODES = 100_000
"""On a map; of a larger network it shows a fixed selection."""

METHOD_NAMES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
MOST_RUNS = 12
"""On one page."""


def map_panel(variants: list[Variant], methods: Sequence[str]) -> Panel:
    """Maps of every run at every snapshot, by each method."""
    panel = Panel("map", "Map of embeddings")
    runs = [(variant, run) for variant in variants for run in variant.runs][:MOST_RUNS]
    of_runs = [_of_run(_name(variants, variant, run), run, methods) for variant, run in runs if run.snapshots]
    panel.data = {"runs": of_runs, "colours": CLASSES, "symbols": SYMBOLS, "methods": METHOD_NAMES}
    if not of_runs:
        panel.text("There is no snapshot yet, or snapshots.nodes is 0.", "note")
        return panel
    panel.text(_says([run for _, run in runs if run.snapshots], methods))
    panel.add("map")
    left = sum(len(variant.runs) for variant in variants) - len(runs)
    if left:
        panel.text(f"{left} more runs are not on the map.", "note")
    return panel


def _says(runs: list[Run], methods: Sequence[str]) -> str:
    sizes = {(len(_common(run.snapshots)), run.num_nodes) for run in runs}
    count, found = next(iter(sizes))
    which = f"all {count:,} nodes" if count == found else f"{count:,} of {found:,} nodes, the same at all times"
    texts = [f"Embeddings of {which if len(sizes) == 1 else 'nodes'}, each scaled to length one."]
    if "pca" in methods:
        texts.append("PCA shows the two directions of largest variance of the last embeddings, at all times.")
    if {"tsne", "umap"} & {*methods}:
        texts.append("On maps by t-SNE and UMAP, distances between groups and sizes of groups have no meaning.")
    return " ".join(texts)


def _name(variants: list[Variant], variant: Variant, run: Run) -> str:
    if len(variant.runs) == 1:
        return variant.name
    return f"seed {run.seed}" if len(variants) == 1 else f"{variant.name}, seed {run.seed}"


def _common(snapshots: list[Snapshot]) -> NDArray[np.int64]:
    """The nodes that all snapshots keep."""
    found = functools.reduce(np.intersect1d, (one.nodes for one in snapshots))
    if not len(found):
        raise InputError("snapshots: no node is in all of them; repeat the run")
    return found[nodes_kept(len(found), MOST_NODES)].astype(np.int64)


def _of_run(name: str, run: Run, methods: Sequence[str]) -> dict[str, Any]:
    nodes = _common(run.snapshots)
    frames = [unit_length(one.embeddings(nodes)) for one in run.snapshots]
    network = run.network
    return {
        "name": name,
        "ticks": [one.tick for one in run.snapshots],
        "count": len(nodes),
        "nodes": packed(nodes, np.int32),
        "labels": packed(network["labels"][nodes], np.int32) if "labels" in network else None,
        "classNames": list(map(str, network.get("class_names", ()))),
        "nodeNames": list(map(str, network["node_names"][nodes])) if "node_names" in network else None,
        "degree": packed(network["in_degree"][nodes], np.float32),
        "places": {method: _places(frames, method) for method in methods},
        "statistics": [
            {name: packed(values[one.places_of(nodes)], np.float32) for name, values in one.statistics.items()}
            for one in run.snapshots
        ],
        "network": _picture(run),
    }


def _places(frames: list[NDArray[np.float64]], method: str) -> list[dict[str, str]]:
    """Places in each frame, as whole numbers up to 65,535 on one scale for all frames."""
    try:
        planes = over_time(frames, method)
    except InputError as error:
        raise InputError(f"--map: {str(error).removeprefix('method: ')}") from error
    low = np.min([plane.min(axis=0) for plane in planes], axis=0)
    extent = float((np.max([plane.max(axis=0) for plane in planes], axis=0) - low).max()) or 1.0
    return [
        {axis: packed(np.round((column - start) / extent * 65535), np.uint16) for axis, column, start in columns}
        for columns in (zip("xy", plane.T, low, strict=True) for plane in planes)
    ]


def _picture(run: Run) -> dict[str, str]:
    network = run.network
    placed = places(len(network["drawn"]), network["sources"], network["targets"])
    return {
        "x": packed(placed[:, 0], np.float32),
        "y": packed(placed[:, 1], np.float32),
        "drawn": packed(network["drawn"], np.int32),
        "sources": packed(network["sources"], np.int32),
        "targets": packed(network["targets"], np.int32),
    }


def packed(values: NDArray[Any], dtype: Any) -> str:
    """Numbers in little-endian order as base64, for typed arrays of the script."""
    return base64.b64encode(np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<")).tobytes()).decode()
