"""Maps: embeddings in two dimensions, to be looked at.

Axes: N nodes, W columns of an embedding.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.checks import check_count
from jdgnn.errors import InputError, suggestion
from jdgnn.evaluation.vectors import checked_embeddings

METHODS = ("pca", "tsne", "umap")
"""The ways to put vectors into two dimensions."""

MOST_TSNE_NODES = 10_000
"""t-SNE of more nodes would take many minutes."""

PERPLEXITY = 30.0
NUM_NEIGHBOURS = 15


def two_dimensions(embeddings: ArrayLike, method: str = "pca", seed: int = 0) -> NDArray[np.float64]:
    """Puts each node on a plane.

    `pca` is linear: distances on the map are those in the two directions of largest variance, and the axes are these
    directions. `tsne` and `umap` keep neighbours together; neither distances between groups nor their sizes mean
    anything there. Both begin with the PCA, and compute on one core: on several, t-SNE gives other numbers than on one.
    Fewer than four nodes, and vectors on one line, are placed by the PCA.

    Args:
      embeddings: one vector for each node, finite numbers [N, W].
      method: one of `METHODS`; `umap` needs `pip install 'jdgnn[umap]'`.
      seed: what t-SNE and UMAP depend on.

    Returns:
      A place for each node [N, 2]; the same input gives the same places on one machine. Zeros if all vectors are equal.

    Raises:
      InputError: embeddings are no finite vectors, the method is unknown or its library missing, or there are more than
        `MOST_TSNE_NODES` nodes for t-SNE.

    Example:
      >>> line = np.outer([-1.0, 0.0, 1.0], [3.0, 4.0])
      >>> two_dimensions(line).round(6) + 0.0
      array([[-5.,  0.],
             [ 0.,  0.],
             [ 5.,  0.]])
    """
    check_count("seed", seed, minimum=0)
    if method not in METHODS:
        raise InputError(f"method: got {method!r}; {suggestion(str(method), METHODS)}")
    num_nodes = np.shape(embeddings)[0] if np.ndim(embeddings) else 0
    vectors = checked_embeddings("embeddings", embeddings, num_nodes)
    if method == "tsne" and num_nodes > MOST_TSNE_NODES:
        raise InputError(
            f"method: got 'tsne' for {num_nodes:,} nodes, and it takes many minutes above {MOST_TSNE_NODES:,}; write "
            "'pca' or 'umap', or give fewer nodes"
        )
    umap = _umap() if method == "umap" else None
    plane = _principal(vectors)
    if method == "pca" or num_nodes < 4 or not plane.any(axis=0).all():
        return plane
    return _tsne(vectors, plane, seed) if method == "tsne" else _of_umap(umap, vectors, plane, seed)


def _principal(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The two directions of largest variance [N, 2]; the largest weight of each is positive, which fixes the sign."""
    centred = vectors - vectors.mean(axis=0)
    plane = np.zeros((len(vectors), 2))
    if not len(vectors) or np.ptp(vectors, axis=0).max() == 0:
        return plane
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:2]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    plane[:, : len(directions)] = centred @ (signs[:, None] * directions).T
    return plane


def _tsne(vectors: NDArray[np.float64], plane: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    start = (1e-4 / plane[:, 0].std() * plane).astype(np.float32)  # as scikit-learn's own init="pca", for any width
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    with threadpool_limits(limits=1):
        fitted: Any = TSNE(init=start, perplexity=perplexity, random_state=seed).fit_transform(vectors)
    return fitted.astype(np.float64)


def _of_umap(umap: Any, vectors: NDArray[np.float64], plane: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    neighbours = min(NUM_NEIGHBOURS, len(vectors) - 1)
    method = umap(n_neighbors=neighbours, init=plane, random_state=seed, n_jobs=1)  # a seed leaves room for one job
    return np.asarray(method.fit_transform(vectors), np.float64)


def _umap() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # of a part that needs Tensorflow
        try:
            from umap import UMAP
        except ImportError as error:
            raise InputError(
                f"method: got 'umap', and umap-learn cannot be imported ({error}); pip install 'jdgnn[umap]'"
            ) from error
    return UMAP
