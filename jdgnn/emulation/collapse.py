"""Collapse of embeddings: whether they still tell nodes apart.

Axes: N nodes, F' units of a layer.
"""

import jax
import jax.numpy as jnp

COLLAPSED = 2.0  # below this effective rank, embeddings span hardly more than one direction


def effective_rank(embeddings: jax.Array, mask: jax.Array) -> jax.Array:
    """How many directions embeddings span: from 1, if all are multiples of one vector, to F'.

    The exponential of the entropy of the singular values of the embeddings [N, F'], divided by their sum. The mask [N]
    says which nodes count. NaN if none do, or if all vectors are zero.
    Source: Roy & Vetterli, "The effective rank", EUSIPCO 2007; for representations Garrido et al., "RankMe", arXiv
    2210.02885.

    Example:
      >>> effective_rank(jnp.eye(3), jnp.ones(3, bool)).round(4).item()
      3.0
    """
    vectors = jnp.where(mask[:, None], embeddings, 0)
    squares = jnp.linalg.eigvalsh(vectors.T @ vectors)
    values = jnp.sqrt(jnp.clip(squares, 0))
    shares = values / jnp.sum(values)
    return jnp.exp(-jnp.sum(jax.scipy.special.xlogy(shares, shares)))
