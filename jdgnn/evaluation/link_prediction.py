"""Link prediction: whether embeddings predict links that were held out."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.checks import check_count, check_number
from jdgnn.errors import InputError
from jdgnn.evaluation.vectors import checked_embeddings, unit_length
from jdgnn.network.network import Network


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOutLinks:
    """A network without some of its links, and pairs of nodes to tell apart."""

    network: Network  # what messages pass over, and nodes learn from
    linked: NDArray[np.int64]  # [P, 2]: pairs whose links were taken out, in both directions
    unlinked: NDArray[np.int64]  # [P, 2]: pairs without a link in either direction


@dataclass(frozen=True, kw_only=True)
class LinkResult:
    """How well linked pairs stand above unlinked ones by the cosine of their embeddings; shares of 1."""

    auc: float  # area under the ROC curve
    average_precision: float
    num_pairs: int  # of either kind


def hold_out_links(network: Network, share: float = 0.1, *, seed: int = 0) -> HeldOutLinks:
    """Takes a share of the links out of a network, and draws as many pairs that are not linked.

    A link counts once, whatever its directions, and is taken out whole. Nodes may be left without any.

    Args:
      network: the network.
      share: of the links, to be taken out.
      seed: what the draws depend on.

    Returns:
      The network that is left, and the pairs.

    Raises:
      InputError: a number is invalid, nothing would be left or taken out, or hardly a pair is not linked.

    Example:
      >>> from jdgnn.network import ring
      >>> held_out = hold_out_links(ring(20), 0.1)
      >>> held_out.network.num_edges, held_out.linked.shape, held_out.unlinked.shape
      (36, (2, 2), (2, 2))
    """
    share = float(check_number("share", share, above=0, below=1))
    check_count("seed", seed, minimum=0)
    rng = np.random.default_rng(seed)
    codes = _pair_codes(network.senders, network.receivers, network.num_nodes)
    links = np.unique(codes)
    count = round(share * len(links))
    if not 0 < count < len(links):
        raise InputError(f"share: got {share}, which takes {count} of {len(links)} links; give one that leaves some")
    taken = rng.choice(links, count, replace=False)
    is_left = ~np.isin(codes, taken)
    quality = None if network.link_quality is None else network.link_quality[is_left]
    left = replace(
        network, senders=network.senders[is_left], receivers=network.receivers[is_left], link_quality=quality
    )
    return HeldOutLinks(
        network=left,
        linked=_pairs(taken, network.num_nodes),
        unlinked=_pairs(_unlinked(rng, links, count, network.num_nodes), network.num_nodes),
    )


def link_prediction(embeddings: ArrayLike, held_out: HeldOutLinks) -> LinkResult:
    """Evaluates embeddings by the cosine of held-out linked pairs against that of unlinked ones; nothing is fitted.

    Args:
      embeddings: one vector for each node [N, W], learned on `held_out.network`.
      held_out: from `hold_out_links`.

    Returns:
      Area under the ROC curve, and average precision.

    Raises:
      InputError: embeddings do not fit the network, or are not finite.

    Example:
      >>> from jdgnn.network import ring
      >>> held_out = hold_out_links(ring(20, num_features=8), 0.1)
      >>> link_prediction(held_out.network.features, held_out).num_pairs
      2
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    vectors = unit_length(checked_embeddings("embeddings", embeddings, held_out.network.num_nodes))
    pairs = np.concatenate([held_out.linked, held_out.unlinked])
    is_linked = np.repeat([True, False], [len(held_out.linked), len(held_out.unlinked)])
    scores = np.sum(vectors[pairs[:, 0]] * vectors[pairs[:, 1]], axis=1)
    return LinkResult(
        auc=float(roc_auc_score(is_linked, scores)),
        average_precision=float(average_precision_score(is_linked, scores)),
        num_pairs=len(held_out.linked),
    )


def _pair_codes(one: NDArray[np.integer], other: NDArray[np.integer], num_nodes: int) -> NDArray[np.int64]:
    """One number for each unordered pair."""
    low, high = np.minimum(one, other).astype(np.int64), np.maximum(one, other).astype(np.int64)
    codes: NDArray[np.int64] = low * num_nodes + high
    return codes


def _pairs(codes: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    return np.column_stack([codes // num_nodes, codes % num_nodes])


def _unlinked(rng: np.random.Generator, links: NDArray[np.int64], count: int, num_nodes: int) -> NDArray[np.int64]:
    """Codes of `count` different pairs of two nodes that are not linked, every set equally likely."""
    num_free = num_nodes * (num_nodes - 1) // 2 - len(links)
    if num_free < 2 * count:
        raise InputError(
            f"network: only {num_free} pairs are not linked, of which {count} are to be drawn; take fewer links out"
        )
    found = np.zeros(0, np.int64)
    while len(found) < count:
        one, other = rng.integers(0, num_nodes, (2, 2 * count))
        codes = _pair_codes(one, other, num_nodes)[one != other]
        both = np.concatenate([found, codes[~np.isin(codes, links)]])
        found = both[np.sort(np.unique(both, return_index=True)[1])]
    return found[:count]
