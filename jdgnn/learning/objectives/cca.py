"""Canonical correlation with neighbours: agree, and be uncorrelated."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.learning.objectives.objective import Objective, both_kinds, masked_mean, no_params
from jdgnn.learning.objectives.statistics import moments, off_diagonal, standardised


def cca(orthogonality: ArrayLike = 1e-2) -> Objective:
    """CCA-SSG: vectors close to those of neighbours, with uncorrelated units.

    With every unit standardised by its mean and deviation over z and the samples, ẑ the own vector and p̂ one positive:
    mean over positives of ‖ẑ − p̂‖² + λ n ‖C − 1‖², where C is the correlation of units over z and the samples, n of
    them. Positives and samples are both needed; without one of them the layer does not step.
    Source: Zhang et al., "From Canonical Correlation Analysis to Self-supervised Graph Neural Networks",
    arXiv 2106.12484, with moments over a node's own buffer.

    Args:
      orthogonality: λ.

    Returns:
      The objective, without parameters of its own.

    Raises:
      InputError: `orthogonality` is negative.

    Example:
      >>> cca(orthogonality=0.1).apply.keywords
      {'orthogonality': 0.1}
    """
    orthogonality = check_number("orthogonality", orthogonality, minimum=0)
    return Objective(init=no_params, apply=Partial(_loss, orthogonality=orthogonality), is_defined=both_kinds)


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
    orthogonality: Any,
) -> tuple[jax.Array, dict[str, Any]]:
    del params, key
    of = moments(encode(own, aggregated), negatives, neg_mask)
    vectors, twins = standardised(of, positives)
    apart = masked_mean(jnp.sum((vectors[0] - twins) ** 2, axis=1), pos_mask)
    rows = jnp.maximum(of.num - 1, 1)
    diagonal = jnp.sum(vectors**2, axis=0) / rows
    correlated = of.num * (off_diagonal(vectors) / rows**2 + jnp.sum((diagonal - 1) ** 2))
    return apart + orthogonality * correlated, {"disagreement": apart, "correlation": correlated}
