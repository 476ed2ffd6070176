"""Whether embeddings still tell nodes apart.

Axes: N nodes, F' units of a layer.
"""

import jax
import jax.numpy as jnp

COLLAPSED = 2.0  # an effective rank below this leaves hardly more than one direction


def effective_rank(embeddings: jax.Array, mask: jax.Array) -> jax.Array:
    """In how many directions embeddings lie: from 1, where all are multiples of one vector, to F'.

    exp of the entropy of the singular values of the matrix of embeddings, over their sum.
    Source: Roy & Vetterli, "The effective rank", EUSIPCO 2007; as a measure of representations, Garrido et al.,
    "RankMe", arXiv 2210.02885.

    Args:
      embeddings: one vector for each node [N, F'].
      mask: which nodes count [N].

    Returns:
      The effective rank, a scalar; NaN where no node counts, or all vectors are zero.

    Example:
      >>> effective_rank(jnp.eye(3), jnp.ones(3, bool)).round(4).item()
      3.0
    """
    vectors = jnp.where(mask[:, None], embeddings, 0)
    squares = jnp.linalg.eigvalsh(vectors.T @ vectors)
    values = jnp.sqrt(jnp.clip(squares, 0))
    shares = values / jnp.sum(values)
    return jnp.exp(-jnp.sum(jax.scipy.special.xlogy(shares, shares)))
