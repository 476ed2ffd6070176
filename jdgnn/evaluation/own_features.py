"""What a node knows of itself, beside what it has learned."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.checks import check_count
from jdgnn.evaluation.vectors import checked_embeddings, unit_length
from jdgnn.network.network import Network
from jdgnn.network.projection import random_projection


def beside_own_features(embeddings: ArrayLike, network: Network, width: int, *, seed: int = 0) -> NDArray[np.floating]:
    """Puts a node's own features beside its embedding: the path for graphs where neighbours mislead.

    A task that runs at the node has its features at hand, and nothing has to be sent. Up to `width` features are taken
    as they are; more are projected by `random_projection`, and scaled by the root of the share of columns that is left,
    so that what says little weighs little. Before that, each node's features are scaled to length one, as another
    layer's embedding. How much they should weigh depends on the task: tell `linear_probe` how many columns they are.

    Args:
      embeddings: one vector for each node [N, W].
      network: the network.
      width: columns of own features at most.
      seed: what the projection depends on.

    Returns:
      Both side by side [N, W + the smaller of `width` and F0].

    Raises:
      InputError: embeddings do not fit the network, or a number makes no sense.

    Example:
      >>> from jdgnn.network import ring
      >>> beside_own_features(np.ones((8, 5)), ring(8, num_features=32), 4).shape
      (8, 9)
    """
    check_count("width", width)
    vectors = checked_embeddings("embeddings", embeddings, network.num_nodes)
    own, share = network.features, 1.0
    if own.shape[1] > width:
        own, share = random_projection(own, width, seed), width / own.shape[1]
    own = unit_length(own.astype(np.float64)) * np.sqrt(share)
    dtype = np.result_type(np.asarray(embeddings).dtype, np.float32)
    return np.concatenate([vectors, own[:, :width]], axis=1).astype(dtype)
