"""The layer-wise step of nodes that are awake.

Axes: N nodes, E directed edges, F features that enter a layer, F' that leave it, n the nodes that are trained.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.emulation import storage
from jdgnn.emulation.layerwise import aggregate
from jdgnn.emulation.per_node import per_node
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State
from jdgnn.emulation.views import chosen, over_edges, received
from jdgnn.learning.local_step import Received, local_loss, local_update
from jdgnn.network.topology import Topology
from jdgnn.protocol.events import Events, node_keys
from jdgnn.protocol.rows import by_block, put, select, take


class Scene(NamedTuple):
    """What surrounds the nodes in one tick, after everything has arrived."""

    topology: Topology
    features: jax.Array  # [N, F0]
    state: State
    events: Events
    active: jax.Array | None  # [N] bool; None = all


class Surroundings(NamedTuple):
    """What some nodes [n] learn from in one layer, besides what they have aggregated."""

    own: jax.Array  # [n, F]
    compared: Received
    key: jax.Array  # [n]
    num_steps: jax.Array  # [n]
    is_awake: jax.Array  # [n] bool
    seed: jax.Array | None  # [n] uint32, to round parameters with; None where they are kept as computed


@struct.dataclass(kw_only=True)
class Trained:
    """What training gave: rows of the trained nodes, but embeddings of all."""

    params: tuple[Any, ...]  # per layer [n, ...]
    opt_state: tuple[Any, ...]  # per layer [n, ...]
    embeddings: tuple[jax.Array, ...]  # per layer [N, F']
    loss: jax.Array  # [n, L]
    is_stepped: jax.Array  # [n, L]
    aux: tuple[dict[str, jax.Array], ...]  # per layer [n]


@struct.dataclass
class Woken:
    """What changed at nodes that were awake, of all nodes."""

    params: tuple[Any, ...]  # per layer [N, ...]
    opt_state: tuple[Any, ...]  # per layer [N, ...]
    embeddings: tuple[jax.Array, ...]  # per layer [N, F']
    age: jax.Array  # [N]
    loss: jax.Array  # [N, L]
    is_stepped: jax.Array  # [N, L]
    aux: tuple[dict[str, jax.Array], ...]  # per layer [N]


def train(emulator: Spec, scene: Scene, params: tuple[Any, ...], nodes: jax.Array | None) -> Trained:
    """Trains the layers bottom-up: each takes its inputs as constants and hands up what it gave before its step.

    Args:
      emulator: the parts.
      scene: what surrounds the nodes.
      params: parameters of the nodes, per layer [n, ...].
      nodes: which nodes are trained [n], N for none; None for all, of whom only the active change.

    Returns:
      Their new parameters and optimiser states, everybody's embeddings, and the losses.
    """
    own, embeddings, layers = scene.features, [], []
    for index in range(len(emulator.layers)):
        layers.append(_train_layer(emulator, scene, index, params[index], own, nodes))
        own = embedded(scene, index, layers[-1]["embedding"], nodes)
        embeddings.append(own)
    return Trained(
        params=tuple(layer["params"] for layer in layers),
        opt_state=tuple(layer["opt_state"] for layer in layers),
        embeddings=tuple(embeddings),
        loss=jnp.stack([layer["loss"] for layer in layers], axis=1),
        is_stepped=jnp.stack([layer["is_stepped"] for layer in layers], axis=1),
        aux=tuple(layer["aux"] for layer in layers),
    )


def embed(emulator: Spec, scene: Scene, params: tuple[Any, ...], nodes: jax.Array | None) -> tuple[jax.Array, ...]:
    """Computes new embeddings bottom-up, as `train` does, and nothing else; arguments as there."""
    own, embeddings = scene.features, []
    for index, layer in enumerate(emulator.layers):
        layer_params = _widened(emulator, params[index]["layer"])
        combined = aggregated(emulator, scene, index, layer_params, own, nodes)
        rows = per_node(layer.apply)(layer_params, take(own, nodes), combined)
        own = embedded(scene, index, rows, nodes)
        embeddings.append(own)
    return tuple(embeddings)


def embed_only(emulator: Spec, scene: Scene, params: tuple[Any, ...], nodes: jax.Array | None) -> Trained:
    """What `train` gives where no layer steps; arguments as there."""
    shapes = jax.eval_shape(lambda params: train(emulator, scene, params, nodes), params)
    kept = replace(shapes, params=(), opt_state=(), embeddings=())  # whose keys could be no zeros
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), kept)
    embeddings = embed(emulator, scene, params, nodes)
    return replace(nothing, params=params, opt_state=take(scene.state.opt_state, nodes), embeddings=embeddings)


def embedded(scene: Scene, index: int, rows: jax.Array, nodes: jax.Array | None) -> jax.Array:
    """Everybody's embeddings of one layer [N, F'], with new ones [n, F'] of the nodes that are awake."""
    held = scene.state.embeddings[index]
    return select(scene.active, rows, held) if nodes is None else put(held, nodes, rows)


def _train_layer(
    emulator: Spec, scene: Scene, index: int, params: Any, own: jax.Array, nodes: jax.Array | None
) -> dict[str, Any]:
    """One step of one layer; `own` [N, F] is what each puts into it."""
    state, events = scene.state, scene.events
    opt_state = take(state.opt_state[index], nodes)
    surroundings = Surroundings(
        own=take(own, nodes),
        compared=received(scene.topology, state, index, take(chosen(state, events, index), nodes)),
        key=take(node_keys(events, index, state.num_nodes), nodes),
        num_steps=take(state.num_steps[:, index], nodes),
        is_awake=awake(scene, jnp.ones(own.shape[0] if nodes is None else nodes.size, bool), nodes),
        seed=None
        if emulator.param_dtype is None
        else take(storage.seeds(events, storage.FIRST_LAYER + index, state.num_nodes), nodes),
    )
    if emulator.layers[index].query is not None:
        combine = partial(aggregated, emulator, scene, index, own=own, nodes=nodes)
        (params, opt_state), seen = _learn(emulator, index, combine, (params, opt_state), surroundings)
    else:  # what is aggregated does not depend on parameters, so nodes can learn some at a time
        combined = aggregated(emulator, scene, index, None, own, nodes)
        (params, opt_state), seen = by_block(
            lambda held, rows: _learn(emulator, index, lambda _: rows[0], held, rows[1]),
            (params, opt_state),
            (combined, surroundings),
        )
    return seen | {"params": params, "opt_state": opt_state}


def _learn(
    emulator: Spec, index: int, combine: Callable[[Any], jax.Array], held: tuple[Any, Any], around: Surroundings
) -> tuple[tuple[Any, Any], dict[str, Any]]:
    """Loss, gradient and step of layer `index` at some nodes; `combine(params)` is what they have aggregated."""
    layer, objective = emulator.layers[index], emulator.objectives[index]
    kept, opt_state = held
    params = _widened(emulator, kept)

    def total_loss(params: Any) -> tuple[jax.Array, Any]:
        losses, (embedding, is_defined, aux) = per_node(local_loss, shared=(0, 1))(
            layer, objective, params, around.own, combine(params["layer"]), around.compared, around.key
        )
        # a row that stands for no node shows the last one's aggregate, whose query must not feel it
        return jnp.sum(jnp.where(around.is_awake, losses, 0)), (losses, embedding, is_defined, aux)

    gradient, (loss, embedding, is_defined, aux) = jax.grad(total_loss, has_aux=True)(params)
    is_stepping = is_defined & around.is_awake
    params, opt_state = per_node(local_update, shared=(0,))(
        emulator.optimizer, gradient, opt_state, params, around.num_steps, is_stepping
    )
    if around.seed is not None:
        params = per_node(storage.rounded)(params, kept, around.seed)
    loss = jnp.where(is_stepping, loss, 0)
    return (params, opt_state), {"embedding": embedding, "loss": loss, "is_stepped": is_stepping, "aux": aux}


def _widened(emulator: Spec, params: Any) -> Any:
    return params if emulator.param_dtype is None else storage.widened(params)


def awake(scene: Scene, mask: jax.Array, nodes: jax.Array | None) -> jax.Array:
    """The mask [n] where a node is awake."""
    if nodes is not None:
        return mask & (nodes < scene.topology.num_nodes)
    return mask if scene.active is None else mask & scene.active


def aggregated(
    emulator: Spec, scene: Scene, index: int, params: Any, own: jax.Array, nodes: jax.Array | None
) -> jax.Array:
    """What some nodes [n], all for None, make of what layer `index` has received of their neighbours [n, F]."""
    layer, topology = emulator.layers[index], scene.topology
    vectors, mask = over_edges(topology, scene.features, scene.events.joined, scene.state, index)
    return aggregate(layer, params, topology, own, vectors, mask, nodes)
