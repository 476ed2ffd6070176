"""Maps: embeddings in two dimensions, to be looked at.

Axes: N nodes, W columns of an embedding.
"""

import warnings
from collections.abc import Sequence
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
    if method == "tsne":
        return _tsne(vectors, plane, seed)
    return np.asarray(_fitted_umap(umap, vectors, seed).embedding_, np.float64)


def over_time(frames: Sequence[ArrayLike], method: str = "pca", seed: int = 0) -> list[NDArray[np.float64]]:
    """Puts each node on a plane at several times, so that the plane stays the same meanwhile.

    The last frame is placed as `two_dimensions` does. `pca` looks at all frames in its two directions; `umap` places
    earlier frames into its map; `tsne` goes back in time, each frame beginning with the places of the one after it.

    Args:
      frames: for each time the embeddings of the same nodes [N, W].
      method: one of `METHODS`.
      seed: what t-SNE and UMAP depend on.

    Returns:
      For each time a place for each node [N, 2].

    Raises:
      InputError: as by `two_dimensions`, or there is no frame, or frames have several shapes.

    Example:
      >>> line = np.outer([-1.0, 0.0, 1.0], [3.0, 4.0])
      >>> first, last = over_time([line / 5, line])
      >>> first.round(6) + 0.0
      array([[-1.,  0.],
             [ 0.,  0.],
             [ 1.,  0.]])
    """
    shapes = {np.shape(frame) for frame in frames}
    if len(shapes) != 1:
        raise InputError(f"frames: expected embeddings of the same nodes, got shapes {sorted(shapes)}")
    last = two_dimensions(frames[-1], method, seed)
    vectors = (checked_embeddings("frames", frame, len(last)) for frame in reversed(frames))
    final = next(vectors)
    places = [last]
    if method == "pca" or len(last) < 4 or not last.any(axis=0).all():
        centre, directions = _directions(final)
        places += [(frame - centre) @ directions.T for frame in vectors]
    elif method == "tsne":
        for frame in vectors:
            places.append(_tsne(frame, places[-1], seed, goes_on=True))
    else:
        fitted = _fitted_umap(_umap(), final, seed)
        places += [np.asarray(fitted.transform(frame), np.float64) for frame in vectors]
    return places[::-1]


def _principal(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    centre, directions = _directions(vectors)
    return (vectors - centre) @ directions.T


def _directions(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean [W] and the two directions of largest variance [2, W], zeros for those that are not there.

    The largest weight of each is positive, which fixes the sign.
    """
    centre = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1])
    found = np.zeros((2, vectors.shape[1]))
    if not len(vectors) or np.ptp(vectors, axis=0).max() == 0:
        return centre, found
    _, _, directions = np.linalg.svd(vectors - centre, full_matrices=False)
    directions = directions[:2]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    found[: len(directions)] = signs[:, None] * directions
    return centre, found


def _tsne(
    vectors: NDArray[np.float64], plane: NDArray[np.float64], seed: int, *, goes_on: bool = False
) -> NDArray[np.float64]:
    """Places that begin with those of a plane: as its shape only, or as its places, from which it `goes_on`."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    # else as scikit-learn's own init="pca", for any width
    start = (plane if goes_on else 1e-4 / plane[:, 0].std() * plane).astype(np.float32)
    settings: dict[str, Any] = {"early_exaggeration": 1.0, "max_iter": 250} if goes_on else {}
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    with threadpool_limits(limits=1):
        fitted: Any = TSNE(init=start, perplexity=perplexity, random_state=seed, **settings).fit_transform(vectors)
    return fitted.astype(np.float64)


def _fitted_umap(umap: Any, vectors: NDArray[np.float64], seed: int) -> Any:
    neighbours = min(NUM_NEIGHBOURS, len(vectors) - 1)
    plane = _principal(vectors)
    return umap(n_neighbors=neighbours, init=plane, random_state=seed, n_jobs=1).fit(vectors)  # a seed: one job


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
