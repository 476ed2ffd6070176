"""Learning from inputs with hidden features."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.errors import InputError
from jdgnn.learning.objectives.info_nce import info_nce
from jdgnn.learning.objectives.objective import Objective
from jdgnn.parts import as_argument


def masked_input(objective: Objective | None = None, rate: ArrayLike = 0.5) -> Objective:
    """Another objective on the node's input with random features hidden, redrawn at every step.

    Every feature is hidden with probability `rate`, both in the node's own vector and in the aggregated one. A node
    publishes the embedding of its whole input. So it learns to predict from a part what neighbours see as a whole, and
    cannot rely on a few features. Without hidden features, embeddings degrade again after some tens of steps.
    Source: Srivastava et al., "Dropout", JMLR 15 (2014), without its rescaling; as a view of a graph, Zhu et al., "Deep
    Graph Contrastive Representation Learning", arXiv 2006.04131. Hiding a column commutes with aggregation.

    Args:
      objective: the other objective; `info_nce` if None.
      rate: share of the features hidden.

    Returns:
      The objective, with the parameters of the other.

    Raises:
      InputError: `rate` is not from 0 to below 1, or the other objective hides features already.

    Example:
      >>> from jdgnn.learning.objectives import info_nce
      >>> masked_input(info_nce(), rate=0.2).view.keywords
      {'rate': 0.2}
    """
    rate = check_number("rate", rate, minimum=0, below=1)
    objective = as_argument(info_nce() if objective is None else objective)
    if objective.view is not None:
        raise InputError("objective: expected one without a view, got one that has a view already")
    return objective._replace(view=Partial(mask, rate=rate))


def mask(own: jax.Array, aggregated: jax.Array, key: jax.Array, *, rate: Any) -> tuple[jax.Array, jax.Array]:
    """Hides random features, the same in both vectors."""
    is_seen = jax.random.uniform(key, own.shape, jnp.float32) >= rate
    return jnp.where(is_seen, own, 0), jnp.where(is_seen, aggregated, 0)
