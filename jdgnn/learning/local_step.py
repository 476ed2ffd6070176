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
"""The embedding [F'], whether the loss is defined, and what else the objective tells."""


class EncodesOthersError(Exception):
    """An objective encodes other vectors than those of its node, such as views of them."""


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
    layer: Layer,
    objective: Objective,
    optimizer: Optimizer,
    key: jax.Array,
    num_features: int,
    num_units: int,
    dtype: Any,
) -> Params:
    """Draws the parameters of one layer of one node: its own, those of the objective, and moments that are merged."""
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
    own: jax.Array,
    aggregated: jax.Array,
    received: Received,
    key: jax.Array,
) -> tuple[jax.Array, LossInfo]:
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
    """What the layer is given for the loss, of what a node has."""
    return (own, aggregated) if objective.view is None else objective.view(own, aggregated, key)


def finishing_loss(
    layer: Layer,
    objective: Objective,
    linear: jax.Array,
    own: jax.Array,
    aggregated: jax.Array,
    received: Received,
    key: jax.Array,
) -> tuple[jax.Array, LossInfo]:
    """The loss of a layer that begins with linear maps, as a function of their sum.

    Args:
      layer: a layer with `inputs` and `finish`.
      objective: its objective, without parameters.
      linear: sum of the layer's linear maps of what it is given [F'].
      own: what it is given of the node itself [F]: `viewed`.
      aggregated: what it is given of its in-neighbours [F].
      received: embeddings to compare with.
      key: for the loss: the second of `keys_of`.

    Returns:
      What `local_loss` gives, with the embedding of what the layer is given.

    Raises:
      EncodesOthersError: the objective encodes other vectors than `own` and `aggregated`.
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
    """One optimiser step of one layer of one node; where `is_stepping` is False nothing changes, bit for bit."""
    stepped = optimizer.step(gradient, opt_state, params, num_steps)
    return jax.tree.map(lambda new, old: jnp.where(is_stepping, new, old), stepped, (params, opt_state))
