"""Variance, invariance, covariance."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.learning.objectives.objective import Objective, both_kinds, masked_mean, no_params
from jdgnn.learning.objectives.statistics import NEARLY_ZERO, Moments, moments, off_diagonal


def vicreg(
    invariance: ArrayLike = 25.0, variance: ArrayLike = 25.0, covariance: ArrayLike = 1.0, deviation: ArrayLike = 1.0
) -> Objective:
    """VICReg: vectors close to those of neighbours, whose units vary over the network and are uncorrelated.

    λ · mean over positives p of ‖z − p‖²/F' + (1 + c)/F' · ( µ Σⱼ max(0, γ − √Varⱼ) + ν Σᵢ≠ⱼ Covᵢⱼ² ), with the
    moments over z and the c samples that are there. Nothing is contrasted: samples enter through their moments only.
    Positives and samples are both needed; without one of them the layer does not step. It suits layers with
    `normalize=False`; vectors of length one cannot vary by more than γ = 1/√F' in every unit.
    Source: Bardes, Ponce & LeCun, "VICReg", arXiv 2105.04906, with moments over a node's own buffer.

    Args:
      invariance: λ.
      variance: µ.
      covariance: ν.
      deviation: γ, the least standard deviation that each unit should have.

    Returns:
      The objective, without parameters of its own.

    Raises:
      InputError: `deviation` is not a positive number, or a weight is negative.

    Example:
      >>> vicreg(deviation=0.5).apply.keywords["deviation"]
      0.5
    """
    weights = {
        "invariance": check_number("invariance", invariance, minimum=0),
        "variance": check_number("variance", variance, minimum=0),
        "covariance": check_number("covariance", covariance, minimum=0),
        "deviation": check_number("deviation", deviation, above=0),
    }
    return Objective(init=no_params, apply=Partial(_loss, **weights), is_defined=both_kinds)


def spread_terms(of: Moments, deviation: Any) -> tuple[jax.Array, jax.Array]:
    """The terms of variance and of covariance, both per unit and for one node of a batch."""
    width, rows = of.variance.size, jnp.maximum(of.num - 1, 1)
    too_small = jnp.sum(jax.nn.relu(deviation - jnp.sqrt(of.variance + NEARLY_ZERO)))
    together = off_diagonal(of.centred) / rows**2
    return of.num / width * too_small, of.num / width * together


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
    invariance: Any,
    variance: Any,
    covariance: Any,
    deviation: Any,
) -> tuple[jax.Array, dict[str, Any]]:
    del params, key
    embedding = encode(own, aggregated)
    apart = masked_mean(jnp.mean((positives - embedding) ** 2, axis=1), pos_mask)
    small, together = spread_terms(moments(embedding, negatives, neg_mask), deviation)
    loss = invariance * apart + variance * small + covariance * together
    return loss, {"invariance": apart, "variance": small, "covariance": together}
