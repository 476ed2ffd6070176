"""The network: who exists, who is linked, and what each node measures of itself.

Axes: N nodes, E directed edges, F0 features of a node, S splits.
"""

from typing import Any

import numpy as np
from flax import struct
from numpy.typing import ArrayLike, NDArray

from jdgnn.errors import InputError


@struct.dataclass(kw_only=True)
class Splits:
    """Which nodes a probe may learn from, choose its regularisation on, and is judged on."""

    train: NDArray[np.bool_]  # [S, N]
    validation: NDArray[np.bool_]  # [S, N]
    test: NDArray[np.bool_]  # [S, N]

    @property
    def num_splits(self) -> int:
        """Number of splits, S."""
        return self.train.shape[0]


@struct.dataclass(kw_only=True)
class Network:
    """A network of N nodes; node v is vertex v. Made by `from_edges` and its sisters, which check and sort.

    An edge u→v says that u sends its embeddings to v: u is an in-neighbour of v. Edges are sorted by receiver, then
    by sender; there are no self-loops and no duplicates. Labels and splits are read by evaluation only.
    """

    features: NDArray[np.floating]  # [N, F0]
    senders: NDArray[np.int32]  # [E]
    receivers: NDArray[np.int32]  # [E], ascending
    labels: NDArray[np.int32] | None = None  # [N]
    splits: Splits | None = None
    link_quality: NDArray[np.float32] | None = None  # [E], in [0, 1]: share of messages that get through
    name: str = struct.field(pytree_node=False, default="network")
    class_names: tuple[str, ...] = struct.field(pytree_node=False, default=())
    num_self_loops_removed: int = struct.field(pytree_node=False, default=0)
    num_duplicates_merged: int = struct.field(pytree_node=False, default=0)

    @property
    def num_nodes(self) -> int:
        """Number of nodes, N."""
        return self.features.shape[0]

    @property
    def num_edges(self) -> int:
        """Number of directed edges, E."""
        return self.senders.shape[0]

    @property
    def num_features(self) -> int:
        """Number of features of a node, F0."""
        return self.features.shape[1]

    @property
    def in_degree(self) -> NDArray[np.int32]:
        """Number of in-neighbours of each node [N]."""
        return np.bincount(self.receivers, minlength=self.num_nodes).astype(np.int32)

    def __repr__(self) -> str:
        classes = "no labels" if self.labels is None else f"{int(self.labels.max()) + 1} classes"
        return (
            f"Network({self.name!r}: {self.num_nodes:,} nodes, {self.num_edges:,} directed edges, "
            f"{self.num_features} features, {classes})"
        )


def from_edges(
    senders: ArrayLike,
    receivers: ArrayLike,
    features: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    splits: Splits | None = None,
    link_quality: ArrayLike | None = None,
    undirected: bool = False,
    allow_no_edges: bool = False,
    name: str = "network",
    class_names: tuple[str, ...] = (),
) -> Network:
    """Makes a network from an edge list.

    Self-loops are removed (a node always knows itself) and duplicate edges merged, keeping the best link quality; both
    are counted in the result. Isolated nodes, several components and one-way links are fine.

    Args:
      senders: node that sends over each edge, integers [E].
      receivers: node that receives over each edge, integers [E].
      features: what each node measures of itself, finite numbers [N, F0]. Its length says how many nodes there are.
      labels: class of each node, integers [N] from 0, or None; training never reads them.
      splits: which nodes probes learn from and are judged on, or None.
      link_quality: probability in [0, 1] that a message gets through, per given edge [E], or None.
      undirected: also add every edge in the other direction, with the same quality.
      allow_no_edges: accept a network of several nodes that are all isolated.
      name: what tables call this network.
      class_names: a name for each class.

    Returns:
      The network, with edges sorted by receiver, then by sender.

    Raises:
      InputError: a shape, a node number or a value makes no sense.

    Example:
      >>> import numpy as np
      >>> from_edges([0, 1, 1], [1, 2, 1], np.eye(3), undirected=True)
      Network('network': 3 nodes, 4 directed edges, 3 features, no labels)
    """
    features = _checked_features(features)
    num_nodes = len(features)
    senders, receivers = _checked_ends(senders, receivers, num_nodes)
    quality = _checked_quality(link_quality, len(senders))
    if undirected:
        senders, receivers = np.concatenate([senders, receivers]), np.concatenate([receivers, senders])
        quality = None if quality is None else np.concatenate([quality, quality])
    is_loop = senders == receivers
    num_given = len(senders) - int(is_loop.sum())
    senders, receivers, quality = _sorted_unique(senders, receivers, quality, ~is_loop)
    if num_nodes > 1 and not len(senders) and not allow_no_edges:
        raise InputError(
            f"senders: no edge between two different nodes was given for {num_nodes} nodes; "
            "write allow_no_edges=True if every node is meant to be isolated"
        )
    return Network(
        features=features,
        senders=senders,
        receivers=receivers,
        labels=_checked_labels(labels, num_nodes, tuple(class_names)),
        splits=_checked_splits(splits, num_nodes),
        link_quality=quality,
        name=name,
        class_names=tuple(class_names),
        num_self_loops_removed=int(is_loop.sum()) // (2 if undirected else 1),
        num_duplicates_merged=num_given - len(senders),
    )


def _sorted_unique(
    senders: NDArray[np.int32],
    receivers: NDArray[np.int32],
    quality: NDArray[np.float32] | None,
    keep: NDArray[np.bool_],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32] | None]:
    """Sorts by receiver, then sender; of duplicates the one of best quality stays."""
    worst_first = np.zeros(len(senders)) if quality is None else -quality
    order = np.lexsort((worst_first, senders, receivers))
    order = order[keep[order]]
    senders, receivers = senders[order], receivers[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (senders[1:] != senders[:-1]) | (receivers[1:] != receivers[:-1])
    return senders[is_first], receivers[is_first], None if quality is None else quality[order][is_first]


def _checked_features(features: ArrayLike) -> NDArray[np.floating]:
    given = _as_array("features", features)
    if given.ndim != 2 or 0 in given.shape:
        raise InputError(
            f"features: got shape {given.shape}, and [nodes, features] with at least one of each is needed"
            " (for nodes that measure nothing, write their degrees or a one-hot identity)"
        )
    if not (np.issubdtype(given.dtype, np.number) or given.dtype == bool) or np.iscomplexobj(given):
        raise InputError(f"features: got dtype {given.dtype}, and real numbers are needed")
    result = given.astype(given.dtype if given.dtype in (np.float32, np.float64) else np.float32)
    bad = np.argwhere(~np.isfinite(result))
    if len(bad):
        node, column = (int(i) for i in bad[0])
        raise InputError(
            f"features: {len(bad)} entries are not finite, the first is {result[node, column]} at node {node}, "
            f"column {column}; replace them before making the network"
        )
    return result


def _checked_ends(
    senders: ArrayLike, receivers: ArrayLike, num_nodes: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    ends = []
    for name, given in (("senders", senders), ("receivers", receivers)):
        nodes = _as_array(name, given)
        if nodes.ndim != 1:
            raise InputError(f"{name}: got shape {nodes.shape}, and one node number per edge, [edges], is needed")
        if nodes.size and not np.issubdtype(nodes.dtype, np.integer):
            raise InputError(f"{name}: got dtype {nodes.dtype}, and whole node numbers from 0 are needed")
        bad = np.flatnonzero((nodes < 0) | (nodes >= num_nodes)) if nodes.size else nodes
        if len(bad):
            raise InputError(
                f"{name}: edge {bad[0]} names node {nodes[bad[0]]}, and features describe nodes 0 to {num_nodes - 1}"
            )
        ends.append(nodes.astype(np.int32))
    if len(ends[0]) != len(ends[1]):
        raise InputError(
            f"receivers: got {len(ends[1])} entries, and senders has {len(ends[0])}; give one of each per edge"
        )
    return ends[0], ends[1]


def _checked_quality(link_quality: ArrayLike | None, num_edges: int) -> NDArray[np.float32] | None:
    if link_quality is None:
        return None
    quality = _as_array("link_quality", link_quality)
    if quality.shape != (num_edges,):
        raise InputError(f"link_quality: got shape {quality.shape}, and one number per edge, [{num_edges}], is needed")
    if quality.size and not (np.issubdtype(quality.dtype, np.floating) or np.issubdtype(quality.dtype, np.integer)):
        raise InputError(f"link_quality: got dtype {quality.dtype}, and real numbers from 0 to 1 are needed")
    bad = np.flatnonzero(~((quality >= 0) & (quality <= 1)))
    if len(bad):
        raise InputError(f"link_quality: edge {bad[0]} has {quality[bad[0]]}, and a probability from 0 to 1 is needed")
    return quality.astype(np.float32)


def _checked_labels(labels: ArrayLike | None, num_nodes: int, class_names: tuple[str, ...]) -> NDArray[np.int32] | None:
    if labels is None:
        return None
    given = _as_array("labels", labels)
    if given.shape != (num_nodes,):
        raise InputError(f"labels: got shape {given.shape}, and one class per node, [{num_nodes}], is needed")
    if not np.issubdtype(given.dtype, np.integer):
        raise InputError(f"labels: got dtype {given.dtype}, and whole numbers from 0 are needed")
    if given.min() < 0:
        node = int(given.argmin())
        raise InputError(f"labels: got {given[node]} at node {node}, and whole numbers from 0 are needed")
    if class_names and given.max() >= len(class_names):
        raise InputError(
            f"class_names: got {len(class_names)} names, and labels go up to {given.max()}; name every class"
        )
    return given.astype(np.int32)


def _checked_splits(splits: Splits | None, num_nodes: int) -> Splits | None:
    if splits is None:
        return None
    masks = {part: _as_array(f"splits.{part}", getattr(splits, part)) for part in ("train", "validation", "test")}
    num_splits = len(masks["train"]) if masks["train"].ndim else 0
    for part, mask in masks.items():
        if mask.dtype != bool or mask.shape != (num_splits, num_nodes) or not num_splits:
            raise InputError(
                f"splits.{part}: got {mask.dtype} {mask.shape}, and booleans [splits, {num_nodes}] are needed"
            )
    overlap = (
        masks["train"] & masks["test"] | masks["train"] & masks["validation"] | masks["validation"] & masks["test"]
    )
    if overlap.any():
        split, node = (int(i) for i in np.argwhere(overlap)[0])
        raise InputError(f"splits: node {node} stands in two parts of split {split}; each node may be in one at most")
    return Splits(**masks)


def _as_array(name: str, given: Any) -> NDArray[Any]:
    try:
        array = np.asarray(given)
    except ValueError as error:
        raise InputError(f"{name}: not a rectangular array ({error})") from error
    if array.dtype == object:
        raise InputError(
            f"{name}: got {type(given).__name__} of mixed entries, and a rectangular array of numbers is needed"
        )
    return array
