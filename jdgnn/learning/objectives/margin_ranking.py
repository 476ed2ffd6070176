"""Ranking of neighbours above random nodes by a margin."""

from collections.abc import Callable
from typing import Any

import jax
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.learning.objectives.objective import Objective, both_kinds, masked_mean, no_params


def margin_ranking(margin: ArrayLike = 0.5) -> Objective:
    """Hinge loss: the inner product with each neighbour should exceed that with each random node by a margin.

    mean over positives p and negatives n of max(0, z·n − z·p + margin). Positives and negatives are both needed;
    without one of them the layer does not step. Metric: the share of pairs that violate the margin.
    Source: Ying et al., "Graph Convolutional Neural Networks for Web-Scale Recommender Systems", arXiv 1806.01973.

    Args:
      margin: the least difference of the inner products.

    Returns:
      The objective, without parameters of its own.

    Raises:
      InputError: `margin` is not a positive number.

    Example:
      >>> margin_ranking(margin=1.0).apply.keywords
      {'margin': 1.0}
    """
    margin = check_number("margin", margin, above=0)
    return Objective(init=no_params, apply=Partial(_loss, margin=margin), is_defined=both_kinds)


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
    margin: Any,
) -> tuple[jax.Array, dict[str, Any]]:
    del params, key
    embedding = encode(own, aggregated)
    near, far = positives @ embedding, negatives @ embedding
    gaps = (far[None, :] - near[:, None] + margin).ravel()
    is_pair = (pos_mask[:, None] & neg_mask[None, :]).ravel()
    violated = masked_mean((gaps > 0).astype(gaps.dtype), is_pair)
    return masked_mean(jax.nn.relu(gaps), is_pair), {"violated": violated}
