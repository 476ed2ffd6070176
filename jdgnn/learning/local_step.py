"""The layer-wise local step of one node.

Axes: F features that enter the layer, F' that leave it, K positives, C samples.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.learning.layers.layer import Layer
from jdgnn.learning.objectives.objective import Objective
from jdgnn.learning.optimizers.optimizer import Optimizer

Params = dict[str, Any]


@struct.dataclass(kw_only=True)
class Received:
    """What one node has received for one layer; constants all.

    Positives and negatives are embeddings of this layer; masks say which entries are there.
    """

    positives: jax.Array  # [K, F']
    pos_mask: jax.Array  # [K]
    negatives: jax.Array  # [C, F']
    neg_mask: jax.Array  # [C]


def init_params(
    layer: Layer, objective: Objective, key: jax.Array, num_features: int, num_units: int, dtype: Any
) -> Params:
    """Draws the parameters of one layer of one node, those of the objective included."""
    key_layer, key_objective = jax.random.split(key)
    return {
        "layer": layer.init(key_layer, num_features, dtype),
        "objective": objective.init(key_objective, num_units, dtype),
    }


def local_loss(
    layer: Layer,
    objective: Objective,
    params: Params,
    own: jax.Array,
    aggregated: jax.Array,
    received: Received,
    key: jax.Array,
) -> tuple[jax.Array, tuple[jax.Array, jax.Array, dict[str, jax.Array]]]:
    """The loss of one layer of one node, zero where it is not defined, and the layer's output.

    Args:
      layer: the layer.
      objective: its objective.
      params: parameters of both.
      own: the node's own vector below this layer [F].
      aggregated: what its in-neighbours sent, aggregated [F].
      received: embeddings to compare with.
      key: for objectives that draw.

    Returns:
      The loss, and beside it the embedding [F'], whether the loss is defined, and what else the objective tells, all at
      `params`.
    """

    def encode(own: jax.Array, aggregated: jax.Array) -> jax.Array:
        return layer.apply(params["layer"], own, aggregated)

    loss, aux = objective.apply(
        params["objective"],
        encode,
        own,
        aggregated,
        received.positives,
        received.pos_mask,
        received.negatives,
        received.neg_mask,
        key,
    )
    is_defined = objective.is_defined(received.pos_mask, received.neg_mask)
    return jnp.where(is_defined, loss, 0), (encode(own, aggregated), is_defined, aux)


def local_update(
    optimizer: Optimizer,
    gradient: Params,
    opt_state: Any,
    params: Params,
    num_steps: jax.Array,
    is_stepping: jax.Array,
) -> tuple[Params, Any]:
    """One optimiser step of one layer of one node; where `is_stepping` is False nothing changes, bit for bit."""
    stepped = optimizer.step(gradient, opt_state, params, num_steps)
    return jax.tree.map(lambda new, old: jnp.where(is_stepping, new, old), stepped, (params, opt_state))
