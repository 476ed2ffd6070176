"""Logistic reconstruction of edges."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.learning.objectives.objective import Objective, masked_mean, no_params


def edge_reconstruction(scale: ArrayLike = 5.0) -> Objective:
    """Logistic loss: inner products with neighbours should be large, those with random nodes small.

    mean over positives p of softplus(−s z·p) + mean over negatives n of softplus(s z·n). If there are
    no positives or no negatives, their term is skipped; with neither the layer does not step.
    Source: the decoder of Kipf & Welling, "Variational Graph Auto-Encoders", arXiv 1611.07308, with sampled negatives.

    Args:
      scale: s, the factor of inner products; with vectors of length one, 1/s is a temperature.

    Returns:
      The objective, without parameters of its own.

    Raises:
      InputError: `scale` is not a positive number.

    Example:
      >>> edge_reconstruction(scale=2.0).apply.keywords
      {'scale': 2.0}
    """
    scale = check_number("scale", scale, above=0)
    return Objective(init=no_params, apply=Partial(_loss, scale=scale), is_defined=_is_defined)


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
    scale: Any,
) -> tuple[jax.Array, dict[str, Any]]:
    del params, key
    embedding = encode(own, aggregated)
    attraction = masked_mean(jax.nn.softplus(-scale * positives @ embedding), pos_mask)
    repulsion = masked_mean(jax.nn.softplus(scale * negatives @ embedding), neg_mask)
    return attraction + repulsion, {"attraction": attraction, "repulsion": repulsion}


def _is_defined(pos_mask: jax.Array, neg_mask: jax.Array) -> jax.Array:
    return jnp.any(pos_mask) | jnp.any(neg_mask)
