"""The layer-wise training step of awake nodes.

Axes: N nodes, F features that enter a layer, F' that leave it, n the nodes that are trained.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.backend import bfloat16
from jdgnn.backend.per_node import per_node
from jdgnn.backend.rows import by_block, put, select, take
from jdgnn.emulation.context import Tick
from jdgnn.emulation.layerwise import aggregate
from jdgnn.emulation.state import State
from jdgnn.emulation.views import chosen, over_edges, received
from jdgnn.learning.local_step import Received, local_loss, local_update
from jdgnn.protocol.events import node_keys


class Surroundings(NamedTuple):
    """What some nodes [n] learn from in one layer, besides their aggregates."""

    own: jax.Array  # [n, F]
    compared: Received
    key: jax.Array  # [n]
    num_steps: jax.Array  # [n]
    is_awake: jax.Array  # [n] bool
    seed: jax.Array | None  # [n] uint32, rounds parameters; None where they are kept as computed


@struct.dataclass(kw_only=True)
class Learned:
    """The result of training one layer or several: rows of the trained nodes, but embeddings of all."""

    params: tuple[Any, ...]  # per layer [n, ...]
    opt_state: tuple[Any, ...]  # per layer [n, ...]
    embeddings: tuple[jax.Array, ...]  # per layer [N, F']
    loss: jax.Array  # [n, L]
    is_stepped: jax.Array  # [n, L]
    aux: tuple[dict[str, jax.Array], ...]  # per layer [n]
    pending: tuple[Any, ...] | None = None  # per layer, deferred steps; see `in_place`

    @classmethod
    def of_layer(
        cls, params: Any, opt_state: Any, embedding: jax.Array, seen: "Seen", pending: Any = None
    ) -> "Learned":
        """The result of training one layer."""
        return cls(
            params=(params,),
            opt_state=(opt_state,),
            embeddings=(embedding,),
            loss=seen.loss[:, None],
            is_stepped=seen.is_stepped[:, None],
            aux=(seen.aux,),
            pending=None if pending is None else (pending,),
        )


class Seen(NamedTuple):
    """Metrics of one layer's step at some nodes [n]."""

    loss: jax.Array  # [n], zero without a step
    is_stepped: jax.Array  # [n] bool
    aux: dict[str, jax.Array]  # [n] each


def joined(layers: list[Learned]) -> Learned:
    """The result of training several layers, bottom first."""
    has_pending = layers[0].pending is not None
    return Learned(
        params=tuple(params for layer in layers for params in layer.params),
        opt_state=tuple(opt_state for layer in layers for opt_state in layer.opt_state),
        embeddings=tuple(embedding for layer in layers for embedding in layer.embeddings),
        loss=jnp.concatenate([layer.loss for layer in layers], axis=1),
        is_stepped=jnp.concatenate([layer.is_stepped for layer in layers], axis=1),
        aux=tuple(aux for layer in layers for aux in layer.aux),
        pending=tuple(steps for layer in layers for steps in layer.pending or ()) if has_pending else None,
    )


def train_layer(tick: Tick, state: State, index: int, params: Any, own: jax.Array, nodes: jax.Array | None) -> Learned:
    """Makes one step of one layer, whose inputs are constants; its embeddings are those from before the step.

    Args:
      tick: the tick.
      state: all nodes.
      index: number of the layer.
      params: its parameters at the nodes [n, ...].
      own: the input of each node [N, F].
      nodes: the trained nodes [n], N for none; None for all, of which only the active change.
    """
    dims = chex.Dimensions(N=state.num_nodes)
    chex.assert_shape(own, (state.num_nodes, None))
    chex.assert_tree_shape_prefix(params, dims["N"] if nodes is None else nodes.shape)
    opt_state, surroundings = take(state.opt_state[index], nodes), _surroundings(tick, state, index, own, nodes)
    if tick.spec.layers[index].query is not None:
        combine = partial(aggregated, tick, state, index, own=own, nodes=nodes)
        (params, opt_state), (rows, seen) = _learn(tick, index, combine, (params, opt_state), surroundings)
    else:  # aggregates do not depend on parameters, so nodes can learn some at a time
        combined = aggregated(tick, state, index, None, own, nodes)
        (params, opt_state), (rows, seen) = by_block(
            lambda held, rows: _learn(tick, index, lambda _: rows[0], held, rows[1]),
            (params, opt_state),
            (combined, surroundings),
            blocks=tick.backend.blocks,
        )
    return Learned.of_layer(params, opt_state, embedded(tick, state, index, rows, nodes), seen)


def embed_layer(tick: Tick, state: State, index: int, params: Any, own: jax.Array, nodes: jax.Array | None) -> Learned:
    """The result of `train_layer` without a step; same arguments."""

    def seen(params: Any) -> Seen:
        learned = train_layer(tick, state, index, params, own, nodes)
        return Seen(learned.loss[:, 0], learned.is_stepped[:, 0], learned.aux[0])

    unseen = nothing(jax.eval_shape(seen, params))
    embedding = _embedding(tick, state, index, params, own, nodes)
    return Learned.of_layer(params, take(state.opt_state[index], nodes), embedding, unseen)


def embed(tick: Tick, state: State, params: tuple[Any, ...], nodes: jax.Array | None) -> tuple[jax.Array, ...]:
    """Computes new embeddings of all layers [N, F'], bottom-up; arguments as of `train_layer`, per layer."""
    own, embeddings = tick.features, []
    for index, layer_params in enumerate(params):
        own = _embedding(tick, state, index, layer_params, own, nodes)
        embeddings.append(own)
    return tuple(embeddings)


def _embedding(tick: Tick, state: State, index: int, params: Any, own: jax.Array, nodes: jax.Array | None) -> jax.Array:
    layer, layer_params = tick.spec.layers[index], _widened(tick, params["layer"])
    combined = aggregated(tick, state, index, layer_params, own, nodes)
    rows = per_node(layer.apply)(layer_params, take(own, nodes), combined)
    return embedded(tick, state, index, rows, nodes)


def _surroundings(tick: Tick, state: State, index: int, own: jax.Array, nodes: jax.Array | None) -> Surroundings:
    events, num_nodes = tick.events, state.num_nodes
    return Surroundings(
        own=take(own, nodes),
        compared=received(tick, state, index, take(chosen(state, events, index), nodes)),
        key=take(node_keys(events, index, num_nodes), nodes),
        num_steps=take(state.num_steps[:, index], nodes),
        is_awake=awake(tick, jnp.ones(num_nodes if nodes is None else nodes.size, bool), nodes),
        seed=seeds_of(tick, index, num_nodes, nodes),
    )


def seeds_of(tick: Tick, index: int, num_nodes: int, nodes: jax.Array | None) -> jax.Array | None:
    """Seeds [n] by which some nodes round what a step of layer `index` gave; None where it is kept as computed."""
    if tick.spec.param_dtype is None:
        return None
    return take(bfloat16.seeds(tick.events.key, bfloat16.FIRST_LAYER + index, num_nodes), nodes)


def _learn(
    tick: Tick, index: int, combine: Callable[[Any], jax.Array], held: tuple[Any, Any], around: Surroundings
) -> tuple[tuple[Any, Any], tuple[jax.Array, Seen]]:
    """Loss, gradient and step of layer `index` at some nodes; `combine(params)` aggregates."""
    layer, objective = tick.spec.layers[index], tick.spec.objectives[index]
    kept, opt_state = held
    params = _widened(tick, kept)

    def total_loss(params: Any) -> tuple[jax.Array, Any]:
        losses, (embedding, is_defined, aux) = per_node(local_loss, shared=(0, 1))(
            layer, objective, params, around.own, combine(params["layer"]), around.compared, around.key
        )
        # a row for no node shows the last node's aggregate, whose query must get no gradient from it
        return jnp.sum(jnp.where(around.is_awake, losses, 0)), (losses, embedding, is_defined, aux)

    gradient, (loss, embedding, is_defined, aux) = jax.grad(total_loss, has_aux=True)(params)
    is_stepping = is_defined & around.is_awake
    params, opt_state = per_node(local_update, shared=(0,))(
        tick.spec.optimizer, gradient, opt_state, params, around.num_steps, is_stepping
    )
    if around.seed is not None:
        params = per_node(bfloat16.rounded)(params, kept, around.seed)
    return (params, opt_state), (embedding, Seen(jnp.where(is_stepping, loss, 0), is_stepping, aux))


def nothing(shapes: Any) -> Any:
    """Zeros of these shapes."""
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)


def embedded(tick: Tick, state: State, index: int, rows: jax.Array, nodes: jax.Array | None) -> jax.Array:
    """All embeddings of one layer [N, F'], with new rows [n, F'] for the nodes that are awake."""
    held = state.embeddings[index]
    return select(tick.active, rows, held) if nodes is None else put(held, nodes, rows, is_unique=True)


def _widened(tick: Tick, params: Any) -> Any:
    return params if tick.spec.param_dtype is None else bfloat16.widened(params)


def awake(tick: Tick, mask: jax.Array, nodes: jax.Array | None) -> jax.Array:
    """The mask [n] where a node is awake."""
    if nodes is not None:
        return mask & (nodes < tick.topology.num_nodes)
    return mask if tick.active is None else mask & tick.active


def aggregated(tick: Tick, state: State, index: int, params: Any, own: jax.Array, nodes: jax.Array | None) -> jax.Array:
    """The aggregates of layer `index` at some nodes [n, F], or at all for None."""
    layer, topology = tick.spec.layers[index], tick.topology
    vectors, mask = over_edges(tick, state, index)
    return aggregate(layer, params, topology, own, vectors, mask, nodes)
