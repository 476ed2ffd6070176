"""The computation of one layer at one node: its embedding, its loss and its step, compiled or not.

Axes: N nodes, E directed edges, F features that enter the layer, F' that leave it, K positives, C samples.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jdgnn.network.topology import Topology


class Inputs(NamedTuple):
    """All that a node knows when it computes a layer; of other nodes, only what they sent to it."""

    number: Any  # [] int32, which node it is
    own: jax.Array  # [F], its own vector below this layer
    received: Any  # [E, F], the vectors that came over its in-edges, zeros elsewhere
    is_there: Any  # [E] bool, over which edges one came
    links: Topology


class Compared(NamedTuple):
    """Embeddings of this layer that a loss compares with; masks say which entries are there."""

    positives: Any  # [K, F']
    pos_mask: Any  # [K]
    negatives: Any  # [C, F']
    neg_mask: Any  # [C]


def embed(layer: Any, params: Any, inputs: Inputs) -> tuple[jax.Array, jax.Array]:
    """The node's aggregated vector and its embedding [F']."""

    # A layer aggregates for all nodes at once: it is given what this node knows, zeros and masks in place of everything
    # else, and this node's row of the result is read.
    def alone(row: jax.Array) -> jax.Array:
        return jnp.zeros((inputs.links.num_nodes, *row.shape), row.dtype).at[inputs.number].set(row)

    query = None if layer.query is None else jax.tree.map(alone, layer.query(params, inputs.own))
    given = alone(inputs.own), jnp.asarray(inputs.received), jnp.asarray(inputs.is_there)
    rows = layer.aggregate(*given, inputs.links, query)
    aggregated = jax.tree.map(lambda rows: rows[inputs.number], rows)
    return aggregated, layer.apply(params, inputs.own, aggregated)


def learn(
    layer: Any, objective: Any, params: Any, inputs: Inputs, compared: Compared, key: jax.Array
) -> tuple[jax.Array, Any, jax.Array, jax.Array]:
    """The loss of one layer alone, its gradient by `params`, the aggregated vector, and the embedding [F']."""
    key_view, key_loss = (key, key) if objective.view is None else jax.random.split(key)

    def loss_of(params: Any) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        aggregated, embedding = embed(layer, params["layer"], inputs)
        seen = inputs.own, aggregated
        if objective.view is not None:
            seen = objective.view(*seen, key_view)
        encode = partial(layer.apply, params["layer"])
        loss, _ = objective.apply(params["objective"], encode, *seen, *map(jnp.asarray, compared), key_loss)
        return loss, (aggregated, embedding)

    (loss, (aggregated, embedding)), gradient = jax.value_and_grad(loss_of, has_aux=True)(params)
    return loss, gradient, aggregated, embedding


def step(optimizer: Any, gradient: Any, opt_state: Any, params: Any, num_steps: Any) -> tuple[Any, Any]:
    """Parameters and optimiser state after one step."""
    return optimizer.step(gradient, opt_state, params, num_steps)


class Arithmetic(NamedTuple):
    """The functions above, compiled or not."""

    embed: Callable[..., Any] = embed
    learn: Callable[..., Any] = learn
    step: Callable[..., Any] = step


PLAIN = Arithmetic()
COMPILED = Arithmetic(jax.jit(embed), jax.jit(learn), jax.jit(step))
