"""Preparation of embeddings that every evaluation does first."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.checks import check_not_consumed
from jdgnn.errors import InputError


def unit_length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scales each vector [N, W] to length one; zero stays zero, and a width of 1 gets a constant beside it first."""
    if vectors.shape[1] == 1:
        vectors = np.column_stack([vectors, np.full(len(vectors), np.sqrt(np.mean(vectors**2)))])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)


def checked_embeddings(name: str, embeddings: ArrayLike, num_nodes: int) -> NDArray[np.float64]:
    """One finite vector for each node [N, W], or an InputError."""
    check_not_consumed(name, embeddings)
    try:
        vectors = np.asarray(embeddings).astype(np.float64, casting="same_kind")
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: not an array of real numbers ({error}); give [{num_nodes}, width]") from error
    if vectors.ndim != 2 or len(vectors) != num_nodes or not vectors.shape[1]:
        raise InputError(f"{name}: expected one vector for each node, [{num_nodes}, width], got shape {vectors.shape}")
    bad = np.argwhere(~np.isfinite(vectors))
    if len(bad):
        node, column = bad[0].tolist()
        raise InputError(
            f"{name}: {len(bad)} entries are not finite, the first is {vectors[node, column]} at node {node}, "
            f"column {column}; a smaller learning rate may keep training from diverging"
        )
    return vectors
