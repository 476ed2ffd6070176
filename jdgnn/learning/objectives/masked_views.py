"""Contrasting views of a node's own input."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.learning.objectives.info_nce import info_nce
from jdgnn.learning.objectives.masked_input import mask
from jdgnn.learning.objectives.objective import Objective
from jdgnn.parts import as_argument


def masked_views(objective: Objective | None = None, rate: ArrayLike = 0.3, neighbours: bool = True) -> Objective:
    """Another objective, between two views of the node's own input in which random features are hidden.

    Each view hides every feature with probability `rate`, both in the node's own vector and in the aggregated one. The
    first view is embedded for the loss, and the second is one more positive. A node publishes the embedding of its
    whole input.
    Source: Zhu et al., "Deep Graph Contrastive Representation Learning" (GRACE), arXiv 2006.04131; hiding a column
    commutes with aggregation.

    Args:
      objective: the other objective; `info_nce` if None.
      rate: share of the features hidden in a view.
      neighbours: whether neighbours are positives as well; if not, the second view is the only positive.

    Returns:
      The objective, with the parameters of the other.

    Raises:
      InputError: `rate` is not from 0 to below 1.

    Example:
      >>> from jdgnn.learning.objectives import info_nce
      >>> masked_views(info_nce(), rate=0.2).apply.keywords["rate"]
      0.2
    """
    rate = check_number("rate", rate, minimum=0, below=1)
    objective = as_argument(info_nce() if objective is None else objective)
    apply = Partial(_with_neighbours if neighbours else _alone, objective=objective, rate=rate)
    is_defined = Partial(_is_defined_with_neighbours if neighbours else _is_defined_alone, objective=objective)
    return Objective(init=objective.init, apply=apply, is_defined=is_defined)


def _with_neighbours(
    params: Any,
    encode: Callable[[jax.Array, jax.Array], jax.Array],
    own: jax.Array,
    aggregated: jax.Array,
    positives: jax.Array,
    pos_mask: jax.Array,
    negatives: jax.Array,
    neg_mask: jax.Array,
    key: jax.Array,
    *,
    objective: Objective,
    rate: Any,
) -> tuple[jax.Array, dict[str, Any]]:
    key_first, key_second, key_objective = jax.random.split(key, 3)
    hidden, hidden_aggregated = mask(own, aggregated, key_first, rate=rate)
    other = encode(*mask(own, aggregated, key_second, rate=rate))
    positives, pos_mask = jnp.concatenate([other[None], positives]), jnp.append(True, pos_mask)
    result: tuple[jax.Array, dict[str, Any]] = objective.apply(
        params, encode, hidden, hidden_aggregated, positives, pos_mask, negatives, neg_mask, key_objective
    )
    return result


def _alone(
    params: Any, encode: Any, own: Any, aggregated: Any, positives: Any, pos_mask: Any, *others: Any, **options: Any
) -> tuple[jax.Array, dict[str, Any]]:
    return _with_neighbours(params, encode, own, aggregated, positives[:0], pos_mask[:0], *others, **options)


def _is_defined_with_neighbours(pos_mask: jax.Array, neg_mask: jax.Array, *, objective: Objective) -> jax.Array:
    return objective.is_defined(jnp.append(True, pos_mask), neg_mask)


def _is_defined_alone(pos_mask: jax.Array, neg_mask: jax.Array, *, objective: Objective) -> jax.Array:
    return objective.is_defined(jnp.ones(1, bool), neg_mask)
