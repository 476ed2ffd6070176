"""Clustering: whether embeddings fall into the classes by themselves."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jdgnn.checks import check_count
from jdgnn.errors import InputError
from jdgnn.evaluation.vectors import checked_embeddings, unit_length
from jdgnn.network.network import Network


@dataclass(frozen=True, kw_only=True)
class ClusterResult:
    """How well clusters and classes agree; 1 where they are the same, about 0 where they have nothing in common."""

    nmi: float  # normalised mutual information
    ari: float  # adjusted Rand index
    num_clusters: int


def clustering(embeddings: ArrayLike, network: Network, *, seed: int = 0, num_starts: int = 10) -> ClusterResult:
    """Evaluates embeddings by k-means into as many clusters as there are classes, all vectors scaled to length one.

    Args:
      embeddings: one vector for each node, finite numbers [N, W].
      network: the network; its labels are what clusters are compared with. Nodes without one are left out.
      seed: what the starts depend on.
      num_starts: of k-means, of which the one with the least inertia counts.

    Returns:
      Normalised mutual information, and the adjusted Rand index.

    Raises:
      InputError: embeddings do not fit the network, labels are missing, or a number is invalid.

    Example:
      >>> from jdgnn.network import from_edges
      >>> labels = np.arange(40) % 2
      >>> network = from_edges(np.arange(39), np.arange(1, 40), np.eye(2)[labels], labels=labels)
      >>> clustering(network.features, network)
      ClusterResult(nmi=1.0, ari=1.0, num_clusters=2)
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
    from threadpoolctl import threadpool_limits

    check_count("seed", seed, minimum=0)
    check_count("num_starts", num_starts)
    if network.labels is None:
        raise InputError(f"network: {network.name!r} has no labels to compare with; make it with labels=")
    vectors = unit_length(checked_embeddings("embeddings", embeddings, network.num_nodes))
    has_label = network.labels >= 0
    vectors, labels = vectors[has_label], network.labels[has_label]
    num_clusters = len(np.unique(labels))
    means = KMeans(num_clusters, n_init=num_starts, random_state=seed)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different vectors than clusters
        found = means.fit_predict(vectors)
    return ClusterResult(
        nmi=float(normalized_mutual_info_score(labels, found)),
        ari=float(adjusted_rand_score(labels, found)),
        num_clusters=num_clusters,
    )
