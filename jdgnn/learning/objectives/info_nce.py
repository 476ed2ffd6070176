"""InfoNCE with neighbours as positives."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.learning.objectives.objective import Objective, both_kinds, masked_mean, no_params
from jdgnn.learning.vectors import unit_norm


def info_nce(temperature: ArrayLike = 0.5) -> Objective:
    """InfoNCE: each neighbour should be distinguished from random nodes by its cosine similarity.

    mean over positives p of −log( exp(s_p/τ) / (exp(s_p/τ) + Σₙ exp(sₙ/τ)) ), with s the cosine to the node's own
    embedding. Positives and negatives are both needed; without one of them the layer does not step. Metrics: the mean
    cosine to positives and to negatives; embeddings collapse if the second approaches the first.
    Source: van den Oord, Li & Vinyals, "Representation Learning with Contrastive Predictive Coding", arXiv 1807.03748.

    Args:
      temperature: τ.

    Returns:
      The objective, without parameters of its own.

    Raises:
      InputError: `temperature` is not a positive number.

    Example:
      >>> info_nce(temperature=0.2).apply.keywords
      {'temperature': 0.2}
    """
    temperature = check_number("temperature", temperature, above=0)
    return Objective(init=no_params, apply=Partial(_loss, temperature=temperature), is_defined=both_kinds)


def _loss(
    params: tuple[()],
    encode: Callable[[jax.Array, jax.Array], jax.Array],
    own: jax.Array,
    aggregated: jax.Array,
    positives: jax.Array,
    pos_mask: jax.Array,
    negatives: jax.Array,
    neg_mask: jax.Array,
    key: jax.Array,
    *,
    temperature: Any,
) -> tuple[jax.Array, dict[str, Any]]:
    del params, key
    embedding = encode(own, aggregated)
    near, far = _cosines(positives, pos_mask, embedding), _cosines(negatives, neg_mask, embedding)
    rest = jax.nn.logsumexp(jnp.where(neg_mask, far / temperature, jnp.finfo(far.dtype).min / 2))
    loss = masked_mean(jax.nn.softplus(rest - near / temperature), pos_mask)
    return loss, {
        "positive_similarity": masked_mean(near, pos_mask),
        "negative_similarity": masked_mean(far, neg_mask),
    }


def _cosines(others: jax.Array, mask: jax.Array, embedding: jax.Array) -> jax.Array:
    """Cosine of each of [n, F] to [F]; zero where either is the zero vector or the mask [n] is False."""
    return unit_norm(jnp.where(mask[:, None], others, 0)) @ unit_norm(embedding)
