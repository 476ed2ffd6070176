"""Prediction of the input of the next layer."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.learning.objectives.objective import Objective, both_kinds, masked_mean
from jdgnn.learning.objectives.statistics import moments
from jdgnn.learning.objectives.vicreg import spread_terms


def next_input(variance: ArrayLike = 1.0, covariance: ArrayLike = 1.0, deviation: ArrayLike = 1.0) -> Objective:
    """Layer-wise regularised infomax: predict the mean of neighbours' embeddings, which the next layer aggregates.

    ‖W z + b − mean over positives of p‖²/F' + (1 + c)/F' · ( µ Σⱼ max(0, γ − √Varⱼ) + ν Σᵢ≠ⱼ Covᵢⱼ² ), moments as in
    `vicreg`; W and b are trained with the layer, start as the identity, and travel with it. Positives and samples
    are both needed; without one of them the layer does not step.
    Source: Pina & Vilaplana, "Layer-wise training for self-supervised learning on graphs", arXiv 2309.01503, with
    moments over a node's own buffer.

    Args:
      variance: µ.
      covariance: ν.
      deviation: γ, the least standard deviation that each unit should have; vectors of length one cannot vary by more
        than 1/√F' in every unit.

    Returns:
      The objective; its parameters are a kernel [F', F'] and a bias [F'].

    Raises:
      InputError: `deviation` is not a positive number, or a weight is negative.

    Example:
      >>> import jax
      >>> next_input().init(jax.random.key(0), 2, float)["bias"].shape
      (2,)
    """
    weights = {
        "variance": check_number("variance", variance, minimum=0),
        "covariance": check_number("covariance", covariance, minimum=0),
        "deviation": check_number("deviation", deviation, above=0),
    }
    return Objective(init=_identity, apply=Partial(_loss, **weights), is_defined=both_kinds)


def _identity(key: jax.Array, num_units: int, dtype: Any) -> dict[str, jax.Array]:
    del key
    return {"kernel": jnp.eye(num_units, dtype=dtype), "bias": jnp.zeros(num_units, dtype)}


def _loss(
    params: dict[str, jax.Array],
    encode: Callable[[jax.Array, jax.Array], jax.Array],
    own: jax.Array,
    aggregated: jax.Array,
    positives: jax.Array,
    pos_mask: jax.Array,
    negatives: jax.Array,
    neg_mask: jax.Array,
    key: jax.Array,
    *,
    variance: Any,
    covariance: Any,
    deviation: Any,
) -> tuple[jax.Array, dict[str, Any]]:
    del key
    embedding = encode(own, aggregated)
    predicted = embedding @ params["kernel"] + params["bias"]
    missed = jnp.mean((predicted - masked_mean(positives, pos_mask)) ** 2)
    small, together = spread_terms(moments(embedding, negatives, neg_mask), deviation)
    loss = missed + variance * small + covariance * together
    return loss, {"prediction": missed, "variance": small, "covariance": together}
