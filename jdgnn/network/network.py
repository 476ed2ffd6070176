"""The network: who exists, who is linked, and what each node measures of itself.

Axes: N nodes, E directed edges, F0 features of a node, S splits.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from flax import struct
from numpy.typing import ArrayLike, NDArray

from jdgnn.checks import check_flag
from jdgnn.errors import InputError
from jdgnn.network.arguments import (
    as_array,
    check_name,
    check_unlabelled,
    checked_class_names,
    checked_ends,
    checked_features,
    checked_labels,
    checked_node_names,
    checked_quality,
    checked_texts,
)
from jdgnn.network.by_name import column_names, in_order, num_rows, split_masks
from jdgnn.network.columns import suspicions
from jdgnn.network.identifiers import Identifiers
from jdgnn.network.identity import identity
from jdgnn.network.labels import UNLABELLED
from jdgnn.network.narrowing import narrowing_notes


@struct.dataclass(kw_only=True)
class Splits:
    """Which nodes a probe may learn from, choose its regularisation on, and is evaluated on."""

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
    by sender; there are no self-loops and no duplicates. Labels and splits are read by evaluation only. A node without
    a label takes part in everything, and stands in no split. Once a state was made for a network, its links can be
    changed no more, but in another network (`dataclasses.replace`).
    """

    features: NDArray[np.floating]  # [N, F0]
    senders: NDArray[np.int32]  # [E]
    receivers: NDArray[np.int32]  # [E], ascending
    labels: NDArray[np.int32] | None = None  # [N], -1 for a node without one
    splits: Splits | None = None
    link_quality: NDArray[np.float32] | None = None  # [E], in [0, 1]: share of messages that get through
    name: str = struct.field(pytree_node=False, default="network")
    class_names: tuple[str, ...] = struct.field(pytree_node=False, default=())
    node_names: tuple[str, ...] = struct.field(pytree_node=False, default=())  # [N], or none
    feature_names: tuple[str, ...] = struct.field(pytree_node=False, default=())  # [F0], or none
    notes: tuple[str, ...] = struct.field(pytree_node=False, default=())  # what was read, left out, encoded and filled
    # both count links as they were given: an undirected one once, a directed one by itself
    num_self_loops_removed: int = struct.field(pytree_node=False, default=0)
    num_duplicates_merged: int = struct.field(pytree_node=False, default=0)  # those beyond the first of the same ends

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
    def identity(self) -> NDArray[np.uint32]:
        """What tells this network from others, see `jdgnn.network.identity`; links are read-only from then on."""
        ends = (self.senders, self.receivers)
        # copies made by `copy.deepcopy` and pickle can be written to, and so can what a view shows
        if "_identity" not in self.__dict__ or any(end.flags.writeable or not end.flags.owndata for end in ends):
            for end in ends:
                end.flags.writeable = False
            self.__dict__["_identity"] = identity(self.num_nodes, self.num_features, *ends, self.node_names)
        found: NDArray[np.uint32] = self.__dict__["_identity"]
        return found

    @property
    def in_degree(self) -> NDArray[np.int32]:
        """Number of in-neighbours of each node [N]."""
        return np.bincount(self.receivers, minlength=self.num_nodes).astype(np.int32)

    def __repr__(self) -> str:
        classes = "no labels" if self.labels is None else f"{int(self.labels.max()) + 1} classes"
        facts = f"{self.num_nodes:,} nodes, {self.num_edges:,} directed edges, {self.num_features} features, {classes}"
        return "\n  ".join(
            [f"Network({self.name!r}: {facts})", *self.notes, *narrowing_notes(self.features, self.feature_names)]
        )


def from_edges(
    senders: ArrayLike,
    receivers: ArrayLike,
    features: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    splits: Any = None,
    link_quality: ArrayLike | None = None,
    undirected: bool = False,
    allow_no_edges: bool = False,
    name: str = "network",
    class_names: tuple[str, ...] = (),
    node_names: tuple[str, ...] = (),
    feature_names: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> Network:
    """Makes a network from an edge list.

    Self-loops are removed (a node always knows itself) and duplicate edges merged, keeping the best link quality; both
    are counted in the result, in links as given: with `undirected`, the link u-v counts once, and v-u repeats it.
    Isolated nodes, several components and one-way links are fine.

    Args:
      senders: node that sends over each edge, integers [E].
      receivers: node that receives over each edge, integers [E].
      features: what each node measures of itself, finite numbers [N, F0]. Its length says how many nodes there are.
        Whole numbers are kept as float64, so that `scale` sees all their digits. Rows of a data frame whose index names
        nodes (by `node_names`, else by their numbers) go by name; so do labels and splits.
      labels: class of each node, integers [N] from 0, or None; training never reads them. A node without a label has -1
        (which is rejected where no label is 0 and classes have no names, as it may be a class) or NaN.
      splits: which nodes probes learn from and are evaluated on, or None: `Splits`, whose masks are in the order of the
        nodes; or by name, a series whose index names nodes and whose values are train, validation, test or nothing, a
        data frame with such a column for each split, or a mapping from these three to names. Nodes without a label are
        taken out.
      link_quality: probability in [0, 1] that a message gets through, per given edge [E], or None. With `undirected`
        also [E, 2]: in the given direction, and back.
      undirected: also add every edge in the other direction, with the same quality.
      allow_no_edges: accept a network of several nodes that are all isolated.
      name: what tables call this network.
      class_names: a name for each class.
      node_names: what each node is called where it comes from, or none; files of embeddings name nodes so.
      feature_names: what each feature is called, or none.
      notes: sentences about where the network comes from, which its `repr` and runs show.

    Returns:
      The network, with edges sorted by receiver, then by sender.

    Raises:
      InputError: a shape, a node number or a value is invalid.

    Example:
      >>> import numpy as np
      >>> from_edges([0, 1, 1], [1, 2, 1], np.eye(3), undirected=True)
      Network('network': 3 nodes, 4 directed edges, 3 features, no labels)
    """
    check_flag("undirected", undirected)
    check_flag("allow_no_edges", allow_no_edges)
    check_name("name", name)
    class_names = checked_class_names("class_names", class_names)
    node_names = checked_node_names("node_names", node_names)
    columns = column_names(features)
    features = checked_features(in_order("features", features, Identifiers(node_names, num_rows(features))))
    num_nodes = len(features)
    nodes = Identifiers(checked_node_names("node_names", node_names, num_nodes), num_nodes)
    links = _links(senders, receivers, link_quality, num_nodes, undirected)
    _check_linked(num_nodes, links, allow_no_edges)
    labels = in_order("labels", labels, nodes)
    found = checked_labels(labels, num_nodes, class_names)
    check_unlabelled(labels, class_names)
    kept, told = _of_labelled(_splits_of(splits, nodes), found)
    told += suspicions(columns, features, found)
    return Network(
        features=features,
        senders=links.senders,
        receivers=links.receivers,
        labels=found if found is not None and (found >= 0).any() else None,
        splits=kept,
        link_quality=links.quality,
        name=name,
        class_names=class_names,
        node_names=node_names,
        feature_names=checked_texts("feature_names", feature_names or columns, features.shape[1]),
        notes=(*checked_texts("notes", notes), *told),
        num_self_loops_removed=links.num_loops,
        num_duplicates_merged=links.num_duplicates,
    )


class _Links(NamedTuple):
    """Links without loops and duplicates, sorted by receiver, then by sender, and how many of both there were."""

    senders: NDArray[np.int32]
    receivers: NDArray[np.int32]
    quality: NDArray[np.float32] | None
    num_loops: int
    num_duplicates: int


def _links(senders: Any, receivers: Any, link_quality: Any, num_nodes: int, undirected: bool) -> _Links:
    senders, receivers = checked_ends(senders, receivers, num_nodes)
    quality = checked_quality(link_quality, len(senders), both_ways=undirected)
    if undirected:
        senders, receivers = np.concatenate([senders, receivers]), np.concatenate([receivers, senders])
        quality = quality if quality is None else np.tile(quality, 2) if quality.ndim == 1 else quality.T.ravel()
    directions = 2 if undirected else 1
    is_loop = senders == receivers
    num_given = len(senders) - int(is_loop.sum())
    senders, receivers, quality = _sorted_unique(senders, receivers, quality, ~is_loop)
    num_duplicates = (num_given - len(senders)) // directions
    return _Links(senders, receivers, quality, int(is_loop.sum()) // directions, num_duplicates)


def _check_linked(num_nodes: int, links: _Links, allow_no_edges: bool) -> None:
    if num_nodes > 1 and not len(links.senders) and not allow_no_edges:
        raise InputError(
            f"senders: no edge between two different nodes was given for {num_nodes} nodes; "
            "write allow_no_edges=True if every node is meant to be isolated"
        )


def _splits_of(given: Any, nodes: Identifiers) -> Splits | None:
    """Splits as masks, whether they are given so or by names."""
    if isinstance(given, Mapping) or hasattr(given, "iloc"):
        given = Splits(**split_masks(given, nodes))
    return checked_splits(given, nodes.num_nodes)


def _of_labelled(splits: Splits | None, labels: NDArray[np.int32] | None) -> tuple[Splits | None, list[str]]:
    """Splits without the nodes that have no label, and what to tell of them."""
    if labels is None or (labels >= 0).all():
        return splits, []
    has_label = labels != UNLABELLED
    told = f"{(~has_label).sum():,} of {len(labels):,} nodes have no label: they take part, and stand in no split"
    if splits is None:
        return None, [told]
    masks = (splits.train, splits.validation, splits.test)
    count = int(((masks[0] | masks[1] | masks[2]).any(axis=0) & ~has_label).sum())
    kept = Splits(train=masks[0] & has_label, validation=masks[1] & has_label, test=masks[2] & has_label)
    return kept, [told + (f" ({count:,} were taken out of splits)" if count else "")]


def check_stand_in_splits(splits: Splits | None, labels: NDArray[np.int32] | None) -> None:
    """Raises InputError if a node without a label stands in a split."""
    if splits is None or labels is None:
        return
    bad = (splits.train | splits.validation | splits.test).any(axis=0) & (labels == UNLABELLED)
    if bad.any():
        raise InputError(f"splits: node {int(bad.argmax())} has no label; expected labelled nodes only")


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


def checked_splits(splits: Splits | None, num_nodes: int) -> Splits | None:
    """Gives the splits with NumPy masks; InputError unless they are masks [S, N] of which no two of a split overlap."""
    if splits is None:
        return None
    if not isinstance(splits, Splits):
        raise InputError(
            f"splits: expected a Splits, got {type(splits).__name__}; write Splits(train=..., validation=..., "
            "test=...) or random_splits(labels, num_splits)"
        )
    masks = {part: as_array(f"splits.{part}", getattr(splits, part)) for part in ("train", "validation", "test")}
    num_splits = len(masks["train"]) if masks["train"].ndim else 0
    for part, mask in masks.items():
        if mask.dtype != bool or mask.shape != (num_splits, num_nodes) or not num_splits:
            raise InputError(f"splits.{part}: expected booleans [splits, {num_nodes}], got {mask.dtype} {mask.shape}")
    overlap = (
        masks["train"] & masks["test"] | masks["train"] & masks["validation"] | masks["validation"] & masks["test"]
    )
    if overlap.any():
        split, node = (int(i) for i in np.argwhere(overlap)[0])
        raise InputError(f"splits: node {node} stands in two parts of split {split}; each node may be in one at most")
    return Splits(**masks)
