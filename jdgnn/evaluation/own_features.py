"""What a node knows of itself, beside what it has learned."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.checks import check_count
from jdgnn.evaluation.vectors import checked_embeddings, unit_length
from jdgnn.network.network import Network
from jdgnn.network.projection import random_projection

DEGREE_WEIGHT = 0.25
"""The length of the columns for the degree where no label says how much they should weigh."""


def own_blocks(network: Network, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a node knows without learning: its own features, and how many neighbours it has.

    Args:
      network: the network.
      width: columns of features at most; where there are more, they are projected by `random_projection`.

    Returns:
      Features [N, the smaller of `width` and F0], and a code of the degree [N, K], each vector of length one: with
      p = log2(1 + degree) the columns p rounded down and up hold how near p is to each, and all others zero.

    Example:
      >>> from jdgnn.network import ring
      >>> [block.shape for block in own_blocks(ring(8, num_features=32), 32)]
      [(8, 32), (8, 3)]
    """
    own = network.features
    if own.shape[1] > width:
        own = random_projection(own, width)
    return unit_length(own.astype(np.float64)), unit_length(_degree_code(network))


def _degree_code(network: Network) -> NDArray[np.float64]:
    out_degree = np.bincount(network.senders, minlength=network.num_nodes)
    codes = [_code(network.in_degree)]
    if (out_degree != network.in_degree).any():
        codes.append(_code(out_degree))
    return np.concatenate(codes, axis=1)


def _code(degree: NDArray[np.integer]) -> NDArray[np.float64]:
    place = np.log2(1.0 + degree)
    columns = np.arange(np.ceil(place.max()) + 1)
    return np.clip(1.0 - np.abs(place[:, None] - columns), 0.0, None)


def beside_own_features(embeddings: ArrayLike, network: Network, width: int | None = None) -> NDArray[np.floating]:
    """Puts what a node knows of itself beside its embedding: the path for graphs where neighbours mislead.

    A task that runs at the node has its features and its degree at hand, and nothing has to be sent. Features are
    scaled to length one, as another layer's embedding, and the code of the degree to a quarter of that. How much they
    should weigh depends on the task: `linear_probe(embeddings, network, own_features=width)` tries several weights for
    each, zero among them, and chooses on validation nodes. This function gives the same columns as one array, for
    `NodeEmbedding`, for the file of a run, and for classifiers of one's own.

    Args:
      embeddings: one vector for each node [N, W].
      network: the network.
      width: columns of own features at most, as `jdgnn.recipe` gives it; more features are projected to as many, by
        `random_projection` with seed 0. None for all features as they are.

    Returns:
      Embedding, features and code of the degree side by side [N, W + the smaller of `width` and F0 + K], where K is
      about the logarithm of the largest degree to base 2 (twice that where links go one way).

    Raises:
      InputError: embeddings do not fit the network, or a number is invalid.

    Example:
      >>> from jdgnn.network import ring
      >>> beside_own_features(np.ones((8, 5)), ring(8, num_features=32)).shape
      (8, 40)
    """
    width = network.num_features if width is None else width
    check_count("width", width)
    vectors = checked_embeddings("embeddings", embeddings, network.num_nodes)
    features, degree = own_blocks(network, width)
    share = features.shape[1] / network.num_features  # so that a projection that says little weighs little
    dtype = np.result_type(np.asarray(embeddings).dtype, np.float32)
    shown = features[:, : min(width, network.num_features)]  # a single feature has a constant beside it
    return np.concatenate([vectors, shown * np.sqrt(share), degree * DEGREE_WEIGHT], axis=1).astype(dtype)
