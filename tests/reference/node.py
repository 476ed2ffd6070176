"""One node: what it holds, and what it does with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.tree_util import Partial

from tests.reference.draws import Candidate, Draws
from tests.reference.messages import Message, Post
from tests.reference.rules import Rules, Schedule, probability
from tests.reference.twins import AGGREGATES, Array, Tree, merge_rule


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


def constant(aggregated: Any, params: Tree) -> Any:
    """An aggregate in which the parameters of a layer have no part."""
    return aggregated


def asked(query: Any, combine: Any, own: Array, received: list[Array], params: Tree) -> Any:
    """An aggregate for which a node asks with its parameters."""
    return combine(own, len(received), received, [], query(params, own))


@jax.jit
def gradient_step(
    parts: tuple[Any, Any, Any], params: Tree, opt_state: Tree, num_steps: Any, inputs: tuple[Any, ...], key: Any
) -> Any:
    """One optimiser step on the loss of one layer alone; whatever `inputs` holds is constant."""
    layer, objective, optimizer = parts
    own, combine, *compared = inputs
    key_view, key_loss = (key, key) if objective.view is None else jax.random.split(key)

    def loss_fn(params: Tree) -> Any:
        seen = own, combine(params["layer"])
        if objective.view is not None:
            seen = objective.view(*seen, key_view)
        return objective.apply(params["objective"], partial(layer.apply, params["layer"]), *seen, *compared, key_loss)

    (loss, _), grads = jax.value_and_grad(loss_fn, has_aux=True)(params)
    return loss, *optimizer.step(grads, opt_state, params, num_steps)


@dataclass(eq=False)
class Node:
    """A node knows its number, its links, its rules, and what has reached it; nothing else."""

    number: int
    rules: Rules
    parts: Parts
    in_edges: Mapping[int, int]  # sender of each in-edge, by the number of the edge
    out_edges: Mapping[int, int]  # receiver of each out-edge, by the number of the edge
    degrees: Mapping[int, int]  # in-degrees of the in-neighbours and of the node itself
    features: Array
    params: list[Tree]  # one of {"layer", "objective"} per layer
    opt_state: list[Tree]
    num_steps: list[int]  # of each layer
    num_idle: list[int]  # of each layer, wakes in which it should have stepped and had nothing to learn from
    neighbour_features: dict[int, Array] = field(default_factory=dict)  # by in-edge, of those who have joined
    mailbox: dict[int, Message] = field(default_factory=dict)  # by in-edge
    samples: list[Message] = field(default_factory=list)
    inbox: list[Message] = field(default_factory=list)
    kept: Any = None  # params and age of the model that was refused last and is to be passed on
    embeddings: list[Array] = field(default_factory=list)  # none before the first wake
    age: int = 0
    wakes: int = 0
    balance: dict[str, int] = field(default_factory=lambda: {"push": 0, "model": 0})
    excess: dict[str, int] = field(default_factory=lambda: {"push": 0, "model": 0})
    # of this tick alone
    now: int = 0
    losses: dict[int, float] = field(default_factory=dict)  # by layer that stepped
    staleness: dict[int, int] = field(default_factory=dict)  # by in-edge, of what is used
    num_merged: int = 0

    @property
    def degree(self) -> int:
        return self.degrees[self.number]

    def begin_tick(self, now: int, neighbour_features: dict[int, Array]) -> None:
        """What every node gets without a message: the time, and the features of in-neighbours who have joined."""
        self.now, self.neighbour_features = now, neighbour_features
        self.losses, self.staleness, self.num_merged = {}, {}, 0

    def store(self, arrivals: list[Message], post: Post) -> None:
        """Puts what arrived in one tick into its place, in the order given."""
        for message in arrivals:
            if message.kind == "embedding":
                self._store_embedding(message, arrivals, post)
            elif message.kind == "push":
                self.samples.append(message)
                _displace_oldest(self.samples, self.rules.sample_capacity, post)
            else:
                self.inbox.append(message)
                _displace_oldest(self.inbox, self.rules.inbox_capacity, post)
        for message in self.samples:
            if message.outcome is None:
                post.settle(message, "delivered")

    def _store_embedding(self, message: Message, arrivals: list[Message], post: Post) -> None:
        """Keeps a version if it is newer than the one held and than all that came over the same edge with it."""
        rivals = [m for m in arrivals if m.kind == "embedding" and m.slot == message.slot and m is not message]
        rivals += [self.mailbox[message.slot]] if message.slot in self.mailbox else []
        if all(message.tick_sent > rival.tick_sent for rival in rivals):
            self.mailbox[message.slot] = message
            post.settle(message, "delivered")
        else:
            post.settle(message, "superseded")

    def wake(self, draws: Draws, post: Post) -> None:
        """Merges and trains, in the order that rules."""
        if self.rules.order == "merge_then_train":
            self.merge(draws, post)
            self.train(draws)
        elif self.rules.order == "train_then_merge":
            self.train(draws)
            self.merge(draws, post)
        else:
            self.merge(draws, post)
            self.embed()

    def merge(self, draws: Draws, post: Post) -> None:
        """Folds the models of the inbox into the node's own, one after another, or refuses them."""
        fold = merge_rule(self.rules.merge, self.rules.merge_limit, self.rules.is_variance_corrected)
        coins = draws.coins(self.number)
        for i, message in enumerate(self.inbox):
            if self._accepts(message, coins, i):
                params, age = message.payload
                self.params, self.age = fold(self.params, self.age, params, int(age), self.num_merged)
                self.num_merged += 1
                post.settle(message, "delivered")
            else:
                self.kept = message.payload if self.rules.pass_through else None
                post.settle(message, "refused")
        self.inbox = []

    def _accepts(self, message: Message, coins: list[float], position: int) -> bool:
        if self.rules.acceptance is None or self.degree == 0:
            return True
        return coins[position] < min(1.0, probability(message.src_degree, self.degree))

    def embed(self) -> None:
        """Computes the embeddings bottom-up."""
        self.embeddings = [output for _, _, output in self._forward()]

    def train(self, draws: Draws) -> None:
        """Computes the embeddings, then steps each layer whose objective has what it needs."""
        passes = self._forward()
        positives = draws.positives(self.number)
        for layer, (own, combine, output) in enumerate(passes):
            self._step(layer, own, combine, positives, draws.key(layer, self.number), width=len(output))
            self.num_idle[layer] += layer not in self.losses
        self.embeddings = [output for _, _, output in passes]
        self.age += bool(self.losses)

    def _forward(self) -> list[tuple[Array, Any, Array]]:
        """The node's own input, how it combines its neighbours', and the output, of each layer."""
        self.staleness = {edge: self.now - message.tick_sent for edge, message in self.mailbox.items()}
        passes, own = [], self.features
        for layer in range(len(self.rules.layers)):
            combine = self._combining(layer, own)
            aggregated = np.array(combine(self.params[layer]["layer"]))
            output = np.array(encode(self.parts.layers[layer], self.params[layer], own, aggregated))
            passes.append((own, combine, output))
            own = output
        return passes

    def _combining(self, layer: int, own: Array) -> Any:
        inputs = self.neighbour_features if layer == 0 else self._received(layer - 1)
        degrees = [self.degrees[self.in_edges[edge]] for edge in inputs]
        combine, query = AGGREGATES[self.rules.layers[layer]], self.parts.layers[layer].query
        if query is None:
            return Partial(constant, combine(own, self.degree, list(inputs.values()), degrees, None))
        return Partial(asked, query, Partial(combine), own, list(inputs.values()))

    def _received(self, layer: int) -> dict[int, Array]:
        """The newest output of one layer that came over each in-edge over which one came."""
        return {edge: message.payload[layer] for edge, message in self.mailbox.items()}

    def _step(self, layer: int, own: Array, combine: Any, chosen: list[int], key: Any, width: int) -> None:
        received = self._received(layer)
        positives = _padded([received.get(edge) for edge in chosen], len(chosen), width)
        negatives = _padded([m.payload[layer] for m in self.samples], self.rules.sample_capacity, width)
        objective = self.parts.objectives[layer]
        if not objective.is_defined(positives[1], negatives[1]):
            return
        parts = self.parts.layers[layer], objective, self.parts.optimizer
        num_steps = np.int32(self.num_steps[layer])
        inputs = own, combine, *positives, *negatives
        result = gradient_step(parts, self.params[layer], self.opt_state[layer], num_steps, inputs, key)
        loss, self.params[layer], self.opt_state[layer] = jax.tree.map(np.array, result)
        self.losses[layer] = float(loss)
        self.num_steps[layer] += 1

    def publish(self, draws: Draws, is_refresh: bool = False) -> list[Message]:
        """The embeddings of this wake for every out-neighbour, if it is time, which it always is in a refresh."""
        candidates = draws.to_neighbours(self.out_edges.items())
        num_wanted = self.rules.publish.num_wanted(0, self.wakes, self.num_merged, [], len(candidates))
        if is_refresh:
            num_wanted = len(candidates)
        return [self._message("embedding", candidate, self.embeddings) for candidate in candidates[:num_wanted]]

    def push(self, draws: Draws, is_refresh: bool = False) -> list[Message]:
        """The embeddings of this wake for random nodes; in a refresh for all of them, outside of the schedule."""
        if is_refresh:
            chosen = [candidate for candidate in draws.candidates("push", self.number) if candidate is not None]
        else:
            chosen = self._choose("push", self.rules.push, draws)
        return [self._message("push", candidate, self.embeddings) for candidate in chosen]

    def send_models(self, draws: Draws) -> list[Message]:
        """The model for random nodes; in the place of the first, once, the one that was refused last."""
        messages = []
        for candidate in self._choose("model", self.rules.model, draws):
            own = self.params, np.int32(self.age)
            content, is_passed_on = (own, False) if self.kept is None else (self.kept, True)
            self.kept = None
            messages.append(self._message("model", candidate, content, is_passed_on))
        return messages

    def _choose(self, kind: str, schedule: Schedule, draws: Draws) -> list[Candidate]:
        """The candidates to whom something is sent, by schedule; keeps the token account."""
        candidates, uniforms = draws.candidates(kind, self.number), draws.uniforms(kind, self.number)
        balance = self.balance[kind]
        num_wanted = schedule.num_wanted(balance, self.wakes, self.num_merged, uniforms, len(candidates))
        chosen = [candidate for candidate in candidates[:num_wanted] if candidate is not None]
        self.balance[kind] = schedule.balance_after(balance, len(chosen))
        self.excess[kind] += max(0, num_wanted - len(candidates))
        return chosen

    def _message(self, kind: str, candidate: Candidate, payload: Any, is_passed_on: bool = False) -> Message:
        return Message(
            kind=kind,
            src=self.number,
            dst=candidate.dst,
            tick_sent=self.now,
            delay=min(max(candidate.delay, 0), self.rules.max_delay.get(kind, 0)),
            is_lost=candidate.is_lost,
            rank=candidate.rank,
            slot=candidate.slot,
            src_degree=self.degree,
            payload=payload,
            is_passed_on=is_passed_on,
        )


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
