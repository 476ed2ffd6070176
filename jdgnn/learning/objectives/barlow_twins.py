"""Redundancy reduction between a node and its neighbours."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.learning.objectives.objective import Objective, both_kinds, masked_mean, no_params
from jdgnn.learning.objectives.statistics import moments, standardised


def barlow_twins(redundancy: ArrayLike = 2e-2) -> Objective:
    """Barlow Twins: units agree with the same units of neighbours, and with no others.

    With every unit standardised by its mean and deviation over z and the samples, n of them, ẑ the own vector and p̂ one
    positive: mean over positives of F' (1 − ẑ·p̂/F')² + λ n Σᵢ≠ⱼ Cᵢⱼ², where C = (ẑ p̄ᵀ + Σ over samples of x̂ x̂ᵀ) / n and
    p̄ is the mean of the p̂. A node does not know the neighbours of other nodes: so agreement is measured over units, not
    over pairs as in the paper, and in C a sample stands for both twins. Positives and samples are both needed; without
    one of them the layer does not step.
    Source: Zbontar et al., "Barlow Twins: Self-Supervised Learning via Redundancy Reduction", arXiv 2103.03230, with
    moments over a node's own buffer.

    Args:
      redundancy: λ.

    Returns:
      The objective, without parameters of its own.

    Raises:
      InputError: `redundancy` is negative.

    Example:
      >>> barlow_twins(redundancy=0.01).apply.keywords
      {'redundancy': 0.01}
    """
    redundancy = check_number("redundancy", redundancy, minimum=0)
    return Objective(init=no_params, apply=Partial(_loss, redundancy=redundancy), is_defined=both_kinds)


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
    redundancy: Any,
) -> tuple[jax.Array, dict[str, Any]]:
    del params, key
    of = moments(encode(own, aggregated), negatives, neg_mask)
    vectors, twins = standardised(of, positives)
    apart = vectors.shape[1] * masked_mean((1 - jnp.mean(vectors[0] * twins, axis=1)) ** 2, pos_mask)
    among = vectors[1:].T @ vectors[1:]
    together = (jnp.outer(vectors[0], masked_mean(twins, pos_mask)) + among) / of.num
    redundant = of.num * (jnp.sum(together**2) - jnp.sum(jnp.diagonal(together) ** 2))
    return apart + redundancy * redundant, {"disagreement": apart, "redundancy": redundant}
