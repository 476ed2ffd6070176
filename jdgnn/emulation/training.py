"""The layer-wise step of all nodes.

Axes: N nodes, E directed edges, F features that enter a layer, F' that leave it, K positives, C samples.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.emulation.emulator import Emulator
from jdgnn.emulation.layerwise import aggregate, layer_output
from jdgnn.emulation.per_node import per_node
from jdgnn.emulation.state import State, TickInfo
from jdgnn.learning.local_step import Received, local_loss, local_update
from jdgnn.network.topology import Topology
from jdgnn.protocol.accounts import add_words
from jdgnn.protocol.events import Events


def train(
    emulator: Emulator, topology: Topology, features: jax.Array, state: State, events: Events
) -> tuple[State, TickInfo]:
    """Trains the layers bottom-up: each takes its inputs as constants and hands up what it gave before its step.

    Args:
      emulator: the parts.
      topology: the links.
      features: what each node measures of itself [N, F0].
      state: all nodes after receiving and merging; `embeddings` are those sent in the tick before.
      events: this tick's random decisions.

    Returns:
      The state with new parameters, embeddings, ages and counts, and the losses.
    """
    own, below = features, features
    layers = []
    for index in range(len(emulator.layers)):
        trained = _train_layer(emulator, topology, state, events, index, own, below)
        layers.append(trained)
        own, below = trained["embedding"], state.embeddings[index]
    info = TickInfo(
        loss=jnp.stack([layer["loss"] for layer in layers], axis=1),
        is_stepped=jnp.stack([layer["is_stepped"] for layer in layers], axis=1),
        aux=tuple(layer["aux"] for layer in layers),
    )
    trained_state = replace(
        state,
        params=tuple(layer["params"] for layer in layers),
        opt_state=tuple(layer["opt_state"] for layer in layers),
        embeddings=tuple(layer["embedding"] for layer in layers),
        num_steps=state.num_steps + info.is_stepped.astype(jnp.int32),
        num_idle=add_words(state.num_idle, jnp.sum(~info.is_stepped, axis=0, dtype=jnp.int32)),
        age=state.age + jnp.any(info.is_stepped, axis=1).astype(jnp.int32),
    )
    return trained_state, info


def publish(emulator: Emulator, topology: Topology, features: jax.Array, state: State) -> State:
    """Computes new embeddings bottom-up, as `train` does, and leaves everything else as it is."""
    own, below = features, features
    embeddings = []
    for index, (layer, params) in enumerate(zip(emulator.layers, state.params, strict=True)):
        own = layer_output(layer, params["layer"], topology, own, *_mailbox(topology, state, index, below))
        embeddings.append(own)
        below = state.embeddings[index]
    return replace(state, embeddings=tuple(embeddings))


def _train_layer(
    emulator: Emulator,
    topology: Topology,
    state: State,
    events: Events,
    index: int,
    own: jax.Array,
    below: jax.Array,
) -> dict[str, Any]:
    """One step of one layer of all nodes; `own` [N, F] is this wake's, `below` [N, F] what neighbours sent of it."""
    layer, objective = emulator.layers[index], emulator.objectives[index]
    mailbox = _mailbox(topology, state, index, below)
    received = _received(topology, state, events, index)

    def total_loss(params: Any) -> tuple[jax.Array, Any]:
        aggregated = aggregate(layer, params["layer"], topology, own, *mailbox)
        losses, (embedding, is_defined, aux) = per_node(local_loss, shared=(0, 1))(
            layer, objective, params, own, aggregated, received, events.keys[:, index]
        )
        return jnp.sum(losses), (losses, embedding, is_defined, aux)

    params, opt_state = state.params[index], state.opt_state[index]
    gradient, (loss, embedding, is_stepping, aux) = jax.grad(total_loss, has_aux=True)(params)
    params, opt_state = per_node(local_update, shared=(0,))(
        emulator.optimizer, gradient, opt_state, params, state.num_steps[:, index], is_stepping
    )
    return {
        "params": params,
        "opt_state": opt_state,
        "embedding": embedding,
        "loss": loss,
        "is_stepped": is_stepping,
        "aux": aux,
    }


def _mailbox(topology: Topology, state: State, index: int, below: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The newest vector over each edge [E, F] and whether there is one [E]; features are known from the start."""
    if index == 0:
        return below[topology.senders], jnp.ones(topology.num_edges, bool)
    return below[topology.senders], state.is_published[topology.senders]


def _received(topology: Topology, state: State, events: Events, index: int) -> Received:
    senders = jnp.append(topology.senders, jnp.int32(topology.num_nodes))  # edge E, which is none, comes from nobody
    sender = senders[events.positives]
    return Received(
        positives=state.embeddings[index].at[sender].get(mode="fill", fill_value=0),
        pos_mask=state.is_published.at[sender].get(mode="fill", fill_value=False),
        negatives=state.samples.entries[index],
        neg_mask=state.samples.mask,
    )
