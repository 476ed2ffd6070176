"""The layer-wise local step of one node.

Axes: F features that enter the layer, F' that leave it, K positives, C samples.
"""

from collections.abc import Callable
from typing import Any

import chex
import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.learning.layers.layer import Layer
from jdgnn.learning.objectives.objective import Objective
from jdgnn.learning.optimizers.merged import with_moments
from jdgnn.learning.optimizers.optimizer import Optimizer

Params = dict[str, Any]
LossInfo = tuple[jax.Array, jax.Array, dict[str, jax.Array]]
"""The embedding [F'], whether the loss is defined, and the objective's metrics."""


class EncodesOthersError(Exception):
    """An objective encodes vectors other than those of its node, such as views of them."""


@struct.dataclass(kw_only=True)
class Received:
    """The embeddings of this layer that one node has received; all are constants.

    Masks say which positives and negatives are there.
    """

    positives: jax.Array  # [K, F']
    pos_mask: jax.Array  # [K]
    negatives: jax.Array  # [C, F']
    neg_mask: jax.Array  # [C]


def init_params(
    layer: Layer,
    objective: Objective,
    optimizer: Optimizer,
    key: jax.Array,
    num_features: int,
    num_units: int,
    dtype: Any,
) -> Params:
    """Draws the parameters of one layer of one node: of the layer, the objective, and moments if they are merged."""
    key_layer, key_objective = jax.random.split(key)
    params = {
        "layer": layer.init(key_layer, num_features, dtype),
        "objective": objective.init(key_objective, num_units, dtype),
    }
    return with_moments(optimizer, params)


def local_loss(
    layer: Layer,
    objective: Objective,
    params: Params,
    own: jax.Array,  # [F]
    aggregated: jax.Array,  # [F]
    received: Received,
    key: jax.Array,
) -> tuple[jax.Array, LossInfo]:
    """The loss of one layer of one node, zero where it is not defined, and the embedding and metrics at `params`."""
    chex.assert_rank([own, received.positives, received.negatives], [1, 2, 2])
    chex.assert_equal_shape_prefix([received.positives, received.pos_mask], 1)
    chex.assert_equal_shape_prefix([received.negatives, received.neg_mask], 1)

    def encode(own: jax.Array, aggregated: jax.Array) -> jax.Array:
        return layer.apply(params["layer"], own, aggregated)

    key_view, key = keys_of(objective, key)
    seen = viewed(objective, own, aggregated, key_view)
    loss, is_defined, aux = _loss(encode, objective, params["objective"], *seen, received, key)
    return loss, (encode(own, aggregated), is_defined, aux)


def keys_of(objective: Objective, key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The keys of an objective's view and of its loss."""
    if objective.view is None:
        return key, key
    key_view, key_loss = jax.random.split(key)
    return key_view, key_loss


def viewed(objective: Objective, own: jax.Array, aggregated: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The inputs of the layer for the loss: the node's own, or the objective's view of them."""
    return (own, aggregated) if objective.view is None else objective.view(own, aggregated, key)


def finishing_loss(
    layer: Layer,
    objective: Objective,
    linear: jax.Array,  # [F']
    own: jax.Array,  # [F]
    aggregated: jax.Array,  # [F]
    received: Received,
    key: jax.Array,
) -> tuple[jax.Array, LossInfo]:
    """`local_loss` of a layer that begins with linear maps, as a function of their sum.

    Inputs are those of the layer: `viewed`, and the second of `keys_of`. The embedding is that of these inputs.

    Raises:
      EncodesOthersError: the objective encodes vectors other than `own` and `aggregated`.
    """
    assert layer.finish is not None
    embedding = layer.finish(linear)

    def encode(other: jax.Array, other_aggregated: jax.Array) -> jax.Array:
        if other is not own or other_aggregated is not aggregated:
            raise EncodesOthersError
        return embedding

    loss, is_defined, aux = _loss(encode, objective, (), own, aggregated, received, key)
    return loss, (embedding, is_defined, aux)


def _loss(
    encode: Callable[[jax.Array, jax.Array], jax.Array],
    objective: Objective,
    params: Any,
    own: jax.Array,
    aggregated: jax.Array,
    received: Received,
    key: jax.Array,
) -> tuple[jax.Array, jax.Array, dict[str, jax.Array]]:
    loss, aux = objective.apply(
        params,
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
    return jnp.where(is_defined, loss, 0), is_defined, aux


def local_update(
    optimizer: Optimizer,
    gradient: Params,
    opt_state: Any,
    params: Params,
    num_steps: jax.Array,
    is_stepping: jax.Array,
) -> tuple[Params, Any]:
    """One optimiser step of one layer of one node; nothing changes, bit for bit, if `is_stepping` is False."""
    stepped = optimizer.step(gradient, opt_state, params, num_steps)
    return jax.tree.map(lambda new, old: jnp.where(is_stepping, new, old), stepped, (params, opt_state))
