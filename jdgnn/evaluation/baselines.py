"""What learned embeddings are read against: embeddings that took no learning at all."""

import numpy as np
from numpy.typing import NDArray

from jdgnn.checks import check_count
from jdgnn.errors import InputError
from jdgnn.network.network import Network
from jdgnn.network.projection import random_projection


def propagate(features: NDArray[np.floating], network: Network, hops: int) -> NDArray[np.floating]:
    """Averages features over neighbourhoods, as a graph convolution without parameters does.

    One hop is y_v = x_v / (d_v + 1) + Σ over in-neighbours u of x_u / √((d_u + 1)(d_v + 1)), with d the in-degrees:
    the symmetric normalisation with self-loops of Kipf & Welling (arXiv 1609.02907), used without learning by
    Wu et al., "Simplifying Graph Convolutional Networks" (arXiv 1902.07153). An isolated node keeps its features.

    Args:
      features: one vector for each node [N, F].
      network: who receives from whom.
      hops: how often.

    Returns:
      Propagated features [N, F], of the dtype of `features`.

    Raises:
      InputError: there is not one vector for each node, or `hops` is no whole number from 0.

    Example:
      >>> from jdgnn.network import from_edges
      >>> network = from_edges([0], [1], np.eye(2), undirected=True)
      >>> propagate(network.features, network, hops=1)
      array([[0.5, 0.5],
             [0.5, 0.5]])
    """
    from scipy import sparse

    check_count("hops", hops, minimum=0)
    if features.ndim != 2 or len(features) != network.num_nodes:
        raise InputError(f"features: expected [{network.num_nodes}, features], got shape {features.shape}")
    nodes = np.arange(network.num_nodes)
    senders = np.concatenate([network.senders, nodes])
    receivers = np.concatenate([network.receivers, nodes])
    size = network.in_degree + 1.0
    weights = 1 / np.sqrt(size[senders] * size[receivers])
    operator = sparse.csr_array((weights.astype(features.dtype), (receivers, senders)), shape=(len(nodes), len(nodes)))
    for _ in range(hops):
        features = operator @ features
    return features


def baselines(network: Network, *, width: int, seed: int = 0) -> dict[str, NDArray[np.floating]]:
    """Gives the embeddings that a learned one has to beat.

    The random projection has the width of the learned embedding, because a linear probe reads more off more columns.
    (The remaining baseline, the untrained encoder of the same shape, is the emulator's:
    `emulator.encode(emulator.init(key, network).params, network)`.)

    Args:
      network: the network.
      width: columns of the random projection.
      seed: what the projection depends on.

    Returns:
      `raw` [N, F0]: the features; `propagated_1hop`, `propagated_2hop` and `propagated_3hop` [N, F0]: the same after
      `propagate`; `projected_2hop` [N, width]: features after `random_projection` and 2 hops.

    Raises:
      InputError: the width or the seed is invalid.

    Example:
      >>> from jdgnn.network import ring
      >>> made = baselines(ring(8), width=4)
      >>> made["propagated_3hop"].shape, made["projected_2hop"].shape
      ((8, 32), (8, 4))
    """
    projected = random_projection(network.features, width, seed)
    one_hop = propagate(network.features, network, 1)
    two_hops = propagate(one_hop, network, 1)
    return {
        "raw": network.features,
        "propagated_1hop": one_hop,
        "propagated_2hop": two_hops,
        "propagated_3hop": propagate(two_hops, network, 1),
        "projected_2hop": propagate(projected, network, 2),
    }
