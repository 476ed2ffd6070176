"""One node: what it holds, and what it does with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.tree_util import Partial

from tests.reference.messages import Message, Post
from tests.reference.twins import AGGREGATES, MERGES, Array, Tree


@dataclass(frozen=True)
class Rules:
    """What every node does; the same for all."""

    layers: tuple[str, ...]
    merge: str
    num_positives: int
    sample_capacity: int
    inbox_capacity: int
    push_every: int = 1
    push_phase: int = 0
    model_every: int = 1
    model_phase: int = 0


class Parts(NamedTuple):
    """What is borrowed from the package: the functions of one node's local step, each tested by its own twin."""

    layers: tuple[Any, ...]
    objectives: tuple[Any, ...]
    optimizer: Any


def jittable(part: Any) -> Any:
    """The same part with its plain functions wrapped, so that it can be an argument of a jitted function."""
    return jax.tree.map(lambda leaf: Partial(leaf) if callable(leaf) else leaf, part)


@jax.jit
def encode(layer: Any, params: Tree, own: Array, aggregated: Array) -> Any:
    return layer.apply(params["layer"], own, aggregated)


@jax.jit
def gradient_step(
    parts: tuple[Any, Any, Any], params: Tree, opt_state: Tree, num_steps: Any, inputs: tuple[Any, ...], key: Any
) -> Any:
    """One optimiser step on the loss of one layer alone; whatever `inputs` holds is constant."""
    layer, objective, optimizer = parts

    def loss_fn(params: Tree) -> Any:
        return objective.apply(params["objective"], partial(layer.apply, params["layer"]), *inputs, key)

    (loss, _), grads = jax.value_and_grad(loss_fn, has_aux=True)(params)
    return loss, *optimizer.step(grads, opt_state, params, num_steps)


@dataclass(eq=False)
class Node:
    """A node knows its number, its in-edges, its rules, and what has reached it; nothing else."""

    number: int
    rules: Rules
    parts: Parts
    in_edges: Mapping[int, int]  # sender of each in-edge, by the number of the edge
    degrees: Mapping[int, int]  # in-degrees of the in-neighbours and of the node itself
    features: Array
    neighbour_features: Mapping[int, Array]
    params: list[Tree]  # one of {"layer", "objective"} per layer
    opt_state: list[Tree]
    mailbox: dict[int, Message] = field(default_factory=dict)
    samples: list[Message] = field(default_factory=list)
    inbox: list[Message] = field(default_factory=list)
    embeddings: list[Array] = field(default_factory=list)  # none before the first wake
    losses: dict[int, float] = field(default_factory=dict)  # of this wake, by layer that stepped
    age: int = 0
    wakes: int = 0
    num_steps: list[int] = field(default_factory=list)

    def store(self, arrivals: list[Message], post: Post) -> None:
        """Puts what arrived in one tick into its place, in the order given."""
        for message in arrivals:
            if message.kind == "embedding":
                self.mailbox[message.src] = message
                post.settle(message, "delivered")
            elif message.kind == "push":
                self.samples.append(message)
                _displace_oldest(self.samples, self.rules.sample_capacity, post)
            else:
                self.inbox.append(message)
                _displace_oldest(self.inbox, self.rules.inbox_capacity, post)
        for message in self.samples:
            if message.outcome is None:
                post.settle(message, "delivered")

    def merge(self, post: Post) -> None:
        """Folds the models of the inbox into the node's own, one after another."""
        for i, message in enumerate(self.inbox):
            params, age = message.payload
            self.params, self.age = MERGES[self.rules.merge](self.params, self.age, params, int(age), i)
            post.settle(message, "delivered")
        self.inbox = []

    def train(self, positives: list[int], keys: Any) -> None:
        """Computes the embeddings bottom-up, and steps each layer whose objective has what it needs.

        Args:
          positives: in-edges whose senders are this tick's positives, K of them; a number of no in-edge = none.
          keys: a PRNG key for each layer.
        """
        own, embeddings = self.features, []
        self.losses = {}
        for layer in range(len(self.rules.layers)):
            aggregated = self._aggregate(layer, own)
            embeddings.append(np.array(encode(self.parts.layers[layer], self.params[layer], own, aggregated)))
            self._step(layer, own, aggregated, positives, keys[layer], width=len(embeddings[-1]))
            own = embeddings[-1]
        self.embeddings = embeddings
        self.age += bool(self.losses)

    def _aggregate(self, layer: int, own: Array) -> Array:
        inputs = self.neighbour_features if layer == 0 else self._received(layer - 1)
        degrees = [self.degrees[sender] for sender in inputs]
        return AGGREGATES[self.rules.layers[layer]](own, self.degrees[self.number], list(inputs.values()), degrees)

    def _received(self, layer: int) -> dict[int, Array]:
        """The newest output of one layer of each in-neighbour from whom there is one."""
        return {sender: message.payload[layer] for sender, message in self.mailbox.items()}

    def _step(self, layer: int, own: Array, aggregated: Array, chosen: list[int], key: Any, width: int) -> None:
        received = self._received(layer)
        senders = [self.in_edges.get(edge) for edge in chosen]
        positives = _padded([received.get(sender) for sender in senders if sender is not None], len(chosen), width)
        negatives = _padded([m.payload[layer] for m in self.samples], self.rules.sample_capacity, width)
        objective = self.parts.objectives[layer]
        if not objective.is_defined(positives[1], negatives[1]):
            return
        parts = self.parts.layers[layer], objective, self.parts.optimizer
        num_steps = np.int32(self.num_steps[layer])
        inputs = own, aggregated, *positives, *negatives
        result = gradient_step(parts, self.params[layer], self.opt_state[layer], num_steps, inputs, key)
        loss, self.params[layer], self.opt_state[layer] = jax.tree.map(np.array, result)
        self.losses[layer] = float(loss)
        self.num_steps[layer] += 1

    def is_push_due(self) -> bool:
        return (self.wakes - self.rules.push_phase) % self.rules.push_every == 0

    def is_model_due(self) -> bool:
        return (self.wakes - self.rules.model_phase) % self.rules.model_every == 0


def _displace_oldest(queue: list[Message], capacity: int, post: Post) -> None:
    """Makes room. What was already settled (a sample of an earlier tick) has served, and stays delivered."""
    while len(queue) > capacity:
        oldest = queue.pop(0)
        if oldest.outcome is None:
            post.settle(oldest, "displaced")


def _padded(vectors: list[Array | None], length: int, width: int) -> tuple[Array, Any]:
    """Rows, and a mask that says which of them are there."""
    rows, mask = np.zeros((length, width)), np.zeros(length, bool)
    for i, vector in enumerate(vectors):
        if vector is not None:
            rows[i], mask[i] = vector, True
    return rows, mask
