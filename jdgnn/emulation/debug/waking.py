"""What one node does when it wakes: merge and train, in the order asked for.

Axes: N nodes, E directed edges, F features that enter a layer, F' that leave it, K positives, C samples.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.emulation.debug.finite import check, check_layers, is_finite, largest
from jdgnn.emulation.debug.message import Message
from jdgnn.emulation.debug.node import Node, Surroundings
from jdgnn.learning.local_step import Received, local_loss
from jdgnn.protocol.events import node_keys

HELD = "; its largest part is {}"


@dataclass(frozen=True, kw_only=True)
class Wake:
    """What a node did at one wake."""

    tick: int
    node: int
    merged: tuple[tuple[int, int], ...]  # sender and tick sent of each model that was merged, in this order
    refused: tuple[tuple[int, int], ...]  # the same of those that were not
    losses: tuple[float | None, ...]  # of each layer; None where it did not step
    age: int  # of the model afterwards


def wake(around: Surroundings, node: Node) -> Wake:
    """Merges and trains."""
    gossip = around.emulator.gossip
    order = "merge_then_train" if gossip is None else gossip.order
    merged: list[Message] = []
    refused: list[Message] = []
    check_layers(node.place(around), "own model", node.params)
    if order != "train_then_merge":
        merged, refused = merge(around, node)
    losses = (embed if order == "merge_only" else train)(around, node, merged)
    if order == "train_then_merge":
        merged, refused = merge(around, node)
    return Wake(
        tick=around.tick,
        node=node.number,
        merged=tuple((one.src, one.tick_sent) for one in merged),
        refused=tuple((one.src, one.tick_sent) for one in refused),
        losses=losses,
        age=node.age,
    )


def merge(around: Surroundings, node: Node) -> tuple[list[Message], list[Message]]:
    """Empties the inbox, oldest first; gives the models that were merged and those that were refused."""
    gossip = around.emulator.gossip
    merged: list[Message] = []
    refused: list[Message] = []
    for position, message in enumerate(node.inbox):
        assert gossip is not None
        if is_accepted(around, node, position, message):
            params, age = gossip.merge.merge(
                node.params, jnp.int32(node.age), message.payload, jnp.int32(message.age), jnp.int32(len(merged))
            )
            node.params, node.age = tuple(params), int(age)
            check_layers(node.place(around), "merged model", params, about="; it had just merged {}", message=message)
            merged.append(message)
        else:
            refused.append(message)
            node.kept = message if gossip.pass_through else None
    node.inbox = []
    node.accounts["model", "delivered"] += len(merged)
    node.accounts["model", "refused"] += len(refused)
    return merged, refused


def is_accepted(around: Surroundings, node: Node, position: int, message: Message) -> bool:
    """Whether the model at a position of the inbox is merged."""
    assert around.emulator.gossip is not None
    probability = around.emulator.gossip.acceptance.probability
    if probability is None:
        return True
    coins = around.events.accept_uniform
    assert coins is not None
    degrees = (jnp.int32(around.in_degree[one]) for one in (message.src, node.number))
    return bool(coins[node.number, position] < probability(*degrees))


def train(around: Surroundings, node: Node, merged: list[Message]) -> tuple[float | None, ...]:
    """Trains the layers bottom-up, each on what the one below gave before its step; gives the losses."""
    own, embeddings, losses = node.features, [], []
    for index in range(len(node.params)):
        own, loss = train_layer(around, node, index, own, merged[-1] if merged else None)
        embeddings.append(own)
        losses.append(loss)
    node.embeddings, node.embedded_at = tuple(embeddings), around.tick
    node.age += any(loss is not None for loss in losses)
    return tuple(losses)


def train_layer(
    around: Surroundings, node: Node, index: int, own: jax.Array, just_merged: Message | None
) -> tuple[jax.Array, float | None]:
    """One step of one layer.

    Args:
      around: what is outside the node.
      node: the node.
      index: number of the layer.
      own: what the node puts into it [F].
      just_merged: the last model merged in this wake, for errors.

    Returns:
      The embedding [F'] before the step, and the loss, None if the layer did not step.
    """
    emulator, params, place = around.emulator, node.params[index], node.place(around, index)
    (
        layer,
        objective,
    ) = emulator.layers[index], emulator.objectives[index]
    key = node_keys(around.events, index, around.topology.num_nodes)[node.number]
    compared = received(around, node, index)

    def loss_of(params: Any) -> tuple[jax.Array, Any]:
        aggregated = aggregate(around, node, index, params["layer"], own)
        loss, (embedding, is_defined, _) = local_loss(layer, objective, params, own, aggregated, compared, key)
        return loss, (aggregated, embedding, is_defined)

    (loss, (aggregated, embedding, is_defined)), gradient = jax.value_and_grad(loss_of, has_aux=True)(params)
    check_forward(around, node, index, own, aggregated, embedding, just_merged)
    if not is_defined:
        node.num_idle[index] += 1
        return embedding, None
    inputs = (params, own, aggregated, compared)
    check(place, "loss", loss, inputs=inputs, message=just_merged)
    check(place, "gradient of the loss", gradient, inputs=inputs, message=just_merged)
    step(around, node, index, gradient, just_merged)
    return embedding, float(loss)


def step(around: Surroundings, node: Node, index: int, gradient: Any, just_merged: Message | None) -> None:
    """Moves the parameters of one layer down the gradient."""
    place, before = node.place(around, index), (node.params[index], node.opt_state[index])
    after = around.emulator.optimizer.step(gradient, before[1], before[0], jnp.int32(node.num_steps[index]))
    inputs = (gradient, before)
    for stage, value in zip(("model after the step", "optimizer state after the step"), after, strict=True):
        check(place, stage, value, inputs=inputs, message=just_merged)
    node.params = (*node.params[:index], after[0], *node.params[index + 1 :])
    node.opt_state = (*node.opt_state[:index], after[1], *node.opt_state[index + 1 :])
    node.num_steps[index] += 1


def embed(around: Surroundings, node: Node, merged: list[Message]) -> tuple[float | None, ...]:
    """Computes new embeddings bottom-up, without a step; there are no losses."""
    own, embeddings = node.features, []
    for index, layer in enumerate(around.emulator.layers):
        params = node.params[index]["layer"]
        aggregated = aggregate(around, node, index, params, own)
        embedding = layer.apply(params, own, aggregated)
        check_forward(around, node, index, own, aggregated, embedding, merged[-1] if merged else None)
        own = embedding
        embeddings.append(own)
    node.embeddings, node.embedded_at = tuple(embeddings), around.tick
    return (None,) * len(embeddings)


def aggregate(around: Surroundings, node: Node, index: int, params: Any, own: jax.Array) -> jax.Array:
    """What the node makes of what its in-neighbours sent [F].

    A layer aggregates for all nodes at once. It is given what this node knows, zeros and masks in place of everything
    else, and this node's row of the result is read.
    """
    layer, topology = around.emulator.layers[index], around.topology
    vectors = np.zeros((topology.num_edges, *own.shape), own.dtype)
    mask = np.zeros(topology.num_edges, bool)
    for edge, vector in inputs_over_edges(around, node, index).items():
        vectors[edge], mask[edge] = vector, True
    query = None
    if layer.query is not None:
        query = jax.tree.map(lambda row: alone(around, node, row), layer.query(params, own))
    everybody = alone(around, node, own)
    aggregated = layer.aggregate(everybody, jnp.asarray(vectors), jnp.asarray(mask), topology, query)
    return jax.tree.map(lambda rows: rows[node.number], aggregated)


def alone(around: Surroundings, node: Node, row: jax.Array) -> jax.Array:
    """The node's own row among those of all nodes [N, ...], of which it knows nothing."""
    return jnp.zeros((around.topology.num_nodes, *row.shape), row.dtype).at[node.number].set(row)


def inputs_over_edges(around: Surroundings, node: Node, index: int) -> dict[int, Any]:
    """Inputs of a layer as they came over each in-edge, of which there are some [F]."""
    if index == 0:
        joined = around.events.joined
        return {edge: around.features[u] for edge, u in node.in_edges.items() if joined is None or joined[u]}
    return {edge: message.payload[index - 1] for edge, message in sorted(node.mailbox.items())}


def received(around: Surroundings, node: Node, index: int) -> Received:
    """What a layer compares with."""
    edges = [int(edge) for edge in around.events.positives[node.number]]
    positives = [node.mailbox.get(edge) for edge in edges]
    push = around.emulator.push
    empty = [None] * (0 if push is None else push.capacity - len(node.samples))
    for stage, messages in (("positive", positives), ("sample", node.samples)):
        for message in messages:
            if message is not None:
                check(node.place(around, index), stage, message.payload[index], about=": {}", message=message)
    like = node.embeddings[index]
    return Received(
        positives=stacked(positives, index, like),
        pos_mask=jnp.array([message is not None for message in positives], bool),
        negatives=stacked([*node.samples, *empty], index, like),
        neg_mask=jnp.array([True] * len(node.samples) + [False] * len(empty), bool),
    )


def stacked(messages: list[Message | None], index: int, like: jax.Array) -> jax.Array:
    """One layer of the messages' embeddings [n, F'], zeros where there is none."""
    rows = [np.zeros_like(like) if message is None else np.asarray(message.payload[index]) for message in messages]
    return jnp.asarray(np.stack(rows)) if rows else jnp.zeros((0, *like.shape), like.dtype)


def check_forward(
    around: Surroundings,
    node: Node,
    index: int,
    own: jax.Array,
    aggregated: jax.Array,
    embedding: jax.Array,
    just_merged: Message | None,
) -> None:
    """Raises NonFiniteError if the way up through a layer left the finite numbers."""
    vectors, place = inputs_over_edges(around, node, index), node.place(around, index)
    carrier = None if index == 0 else heaviest(node, index - 1)
    check(place, "aggregated vector", aggregated, inputs=(own, vectors), about=HELD, message=carrier)
    inputs = (node.params[index], own, aggregated)
    check(place, "embedding", embedding, inputs=inputs, message=just_merged)


def heaviest(node: Node, index: int) -> Message | None:
    """The message in the mailbox whose embedding of a layer has the largest entry, or one that is not finite."""

    def weight(message: Message) -> float:
        vector = message.payload[index]
        return (largest(vector) or 0.0) if is_finite(vector) else float("inf")

    return max((message for _, message in sorted(node.mailbox.items())), key=weight, default=None)
