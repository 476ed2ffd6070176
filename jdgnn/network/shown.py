"""What a notebook shows of a network."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from jdgnn.html import Piece, block, table
from jdgnn.network.scaling import narrowing_notes

if TYPE_CHECKING:
    from jdgnn.network.network import Network

MOST_CLASSES = 12
"""Classes whose sizes are told."""


def network_as_html(network: "Network") -> str:
    """Counts, degrees, components, labels and splits of a network, and what was removed when it was made.

    Example:
      >>> from jdgnn.network import ring
      >>> "in-degree" in network_as_html(ring(6))
      True
    """
    return block(f"Network {network.name!r}", table(_facts(network)))


def _facts(network: "Network") -> Iterator[tuple[Piece, ...]]:
    degree = network.in_degree
    yield "nodes", network.num_nodes
    yield "directed edges", f"{network.num_edges:,}, {_symmetry(network)}"
    yield "features", f"{network.num_features:,} ({network.features.dtype})"
    yield (
        "in-degree",
        f"{degree.min():,} to {degree.max():,}, mean {degree.mean():.3g}, median {np.median(degree):.3g}; "
        f"{(degree == 0).sum():,} nodes without in-neighbours",
    )
    yield "components", _components(network)
    if network.link_quality is not None and network.num_edges:
        quality = network.link_quality
        yield "link quality", f"{quality.min():.3g} to {quality.max():.3g}, mean {quality.mean():.3g}"
    yield "labels", _labels(network)
    if network.splits is None:
        yield "splits", "none"
    else:
        splits = network.splits
        sizes = [f"{part} {_range(getattr(splits, part).sum(axis=1))}" for part in ("train", "validation", "test")]
        yield "splits", f"{splits.num_splits:,}: {', '.join(sizes)} nodes"
    yield (
        "removed",
        f"{network.num_self_loops_removed:,} self-loops; {network.num_duplicates_merged:,} duplicate links merged",
    )
    for note in (*network.notes, *narrowing_notes(network)):
        yield "note", note


def _symmetry(network: "Network") -> str:
    """How many edges have one in the other direction."""
    if not network.num_edges:
        return "none"
    size = np.int64(network.num_nodes)
    there = network.senders * size + network.receivers
    back = network.receivers * size + network.senders
    share = np.isin(back, there).mean()
    return "all in both directions" if share == 1 else f"{100 * share:.3g} % of them in both directions"


def _components(network: "Network") -> str:
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    shape = (network.num_nodes, network.num_nodes)
    links = (np.ones(network.num_edges, bool), (network.senders, network.receivers))
    count, of_node = connected_components(sparse.csr_array(links, shape=shape), directed=False)
    return f"{count:,}" if count == 1 else f"{count:,}, the largest of {np.bincount(of_node).max():,} nodes"


def _labels(network: "Network") -> str:
    if network.labels is None:
        return "none"
    sizes = np.bincount(network.labels[network.labels >= 0])
    num_unlabelled = network.num_nodes - int(sizes.sum())
    names = [
        network.class_names[index] if index < len(network.class_names) else str(index) for index in range(len(sizes))
    ]
    told = [f"{name} ({size:,})" for name, size in zip(names[:MOST_CLASSES], sizes[:MOST_CLASSES], strict=True)]
    rest = [f"{len(sizes) - MOST_CLASSES} more"] if len(sizes) > MOST_CLASSES else []
    none = [f"{num_unlabelled:,} nodes have none"] if num_unlabelled else []
    return f"{len(sizes)} classes: {', '.join([*told, *rest, *none])}"


def _range(sizes: np.ndarray) -> str:
    low, high = int(sizes.min()), int(sizes.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
