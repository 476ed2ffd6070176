"""One node: what it holds and what it does.

Axes: N nodes, E directed edges, L layers, F0 features of a node, F units below a layer, F' of it, K positives, C
samples.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.learning.optimizers.merged import without_moments
from jdgnn.protocol.events import ATTACK, CONTENT
from jdgnn.protocol.model import Model, Received
from jdgnn.reference.draws import Candidate, Draws
from jdgnn.reference.message import Message, Post
from jdgnn.reference.one_layer import Compared, Inputs
from jdgnn.reference.rules import Rules


@dataclass(frozen=True, kw_only=True)
class Wake:
    """A record of one wake of a node."""

    tick: int
    node: int
    merged: tuple[tuple[int, int], ...]  # sender and tick sent of each model that was merged, in this order
    rejected: tuple[tuple[int, int], ...]  # the same for rejected models
    losses: tuple[float | None, ...]  # of each layer; None where it did not step
    age: int  # of the model after the wake


@dataclass(kw_only=True, eq=False)
class Node:
    """A node knows its number, its links, its rules, and what has reached it; nothing else."""

    number: int
    rules: Rules
    features: jax.Array  # [F0]
    in_edges: dict[int, int]  # from the number of an edge to its sender
    out_edges: dict[int, int]  # from the number of an edge to its receiver
    degree: int  # number of in-edges
    params: tuple[Any, ...]  # per layer {"layer": ..., "objective": ...}, and "moments" if they are merged
    opt_state: tuple[Any, ...]  # per layer
    embeddings: tuple[Any, ...]  # per layer [F'], as last computed; zeros before
    schedule_memory: dict[str, Any]  # memories of the schedules of pushes and models, by kind
    num_steps: list[int]  # of each layer
    num_idle: list[int]  # of each layer, wakes in which its loss was not defined
    embedded_at: int = -1  # the tick in which embeddings were computed; -1 = never
    age: int = 0
    weight: Any = None  # of the model [], where the merge rule divides one
    wakes: int = 0
    accounts: Counter[tuple[str, str]] = field(default_factory=Counter)  # messages by kind and outcome
    num_excess: Counter[str] = field(default_factory=Counter)  # messages wanted beyond the fanout, by kind
    mailbox: dict[int, Message] = field(default_factory=dict)  # the newest that arrived over each in-edge
    samples: list[Message] = field(default_factory=list)  # pushes; a full buffer is a ring
    next_slot: int = 0  # slot of the next sample
    inbox: list[Message] = field(default_factory=list)  # models that wait, oldest first
    kept: Message | None = None  # the last rejected model, to be passed on
    is_attacker: bool = False
    content_memory: Any = None  # memory of the content of model messages
    # of this tick only:
    tick: int = 0
    neighbour_features: dict[int, jax.Array] = field(default_factory=dict)  # by in-edge, of those that have joined
    losses: dict[int, float] = field(default_factory=dict)  # by layer that stepped
    staleness: dict[int, int] = field(default_factory=dict)  # by in-edge, of the embeddings in use
    merged: list[Message] = field(default_factory=list)
    rejected: list[Message] = field(default_factory=list)

    def begin_tick(self, tick: int, neighbour_features: dict[int, jax.Array]) -> None:
        """Takes what needs no message: the time, and the features of in-neighbours that have joined."""
        self.tick, self.neighbour_features = tick, neighbour_features
        self.losses, self.staleness, self.merged, self.rejected = {}, {}, [], []

    def store(self, arrivals: list[Message], post: Post) -> None:
        """Puts what arrived in one tick into its place, in the order given."""
        for message in arrivals:
            layers = dict(enumerate(message.payload)) if isinstance(message.payload, tuple) else {0: message.payload}
            self.rules.check(self, f"received {message.kind}", layers, message=message)
            if message.kind == "embedding":
                self._store_embedding(message, arrivals, post)
            elif message.kind == "push":
                self._store_push(message, post)
            else:
                self.inbox.append(message)
                if len(self.inbox) > self.rules.inbox_capacity:
                    post.settle(self.inbox.pop(0), "evicted")
        for message in self.samples:
            if message.outcome is None:
                post.settle(message, "delivered")

    def _store_embedding(self, message: Message, arrivals: list[Message], post: Post) -> None:
        """Keeps an embedding if it is newer than the one held and all that arrive over the same edge with it."""
        rivals = [m for m in arrivals if m.edge == message.edge and m is not message]
        rivals += [self.mailbox[message.edge]] if message.edge in self.mailbox else []
        if all(message.tick_sent > rival.tick_sent for rival in rivals):
            self.mailbox[message.edge] = message
            post.settle(message, "delivered")
        else:
            post.settle(message, "superseded")

    def _store_push(self, message: Message, post: Post) -> None:
        """Keeps a sample, in place of the oldest if the buffer is full."""
        if len(self.samples) < self.rules.sample_capacity:
            self.samples.append(message)
        else:
            if self.samples[self.next_slot].outcome is None:  # it arrived in this tick; else it stays delivered
                post.settle(self.samples[self.next_slot], "evicted")
            self.samples[self.next_slot] = message
        self.next_slot = (self.next_slot + 1) % self.rules.sample_capacity

    def wake(self, draws: Draws, post: Post) -> Wake:
        """Merges and trains, in the order of the rules."""
        self.rules.check(self, "own model", dict(enumerate(self.params)))
        self.staleness = {edge: self.tick - message.tick_sent for edge, message in self.in_use().items()}
        if self.rules.order == "merge_then_train":
            self.merge(draws, post)
            self.train(draws)
        elif self.rules.order == "train_then_merge":
            self.train(draws)
            self.merge(draws, post)
        else:
            self.merge(draws, post)
            self.embed()
        return Wake(
            tick=self.tick,
            node=self.number,
            merged=tuple((model.src, model.tick_sent) for model in self.merged),
            rejected=tuple((model.src, model.tick_sent) for model in self.rejected),
            losses=tuple(self.losses.get(layer) for layer in range(len(self.params))),
            age=self.age,
        )

    def merge(self, draws: Draws, post: Post) -> None:
        """Merges the models of the inbox into the node's own, one after another or all at once, or rejects them."""
        gossip = self.rules.spec.gossip
        fold, at_once = (None, None) if gossip is None else (gossip.merge.merge, gossip.merge.merge_all)
        for position, message in enumerate(self.inbox):
            if self._accepts(message, position, draws):
                self.merged.append(message)
                if fold is not None:
                    self._fold(fold, message)
                post.settle(message, "delivered")
            else:
                self.rejected.append(message)
                self.kept = message if gossip is not None and gossip.pass_through else None
                post.settle(message, "rejected")
        if at_once is not None and self.merged:
            self._merge_all(at_once, self.merged)
        self.inbox = []

    def _fold(self, merge: Callable[..., Any], message: Message) -> None:
        """Folds in the last accepted model; numbers that its message does not carry do not change."""
        received, is_carried = self._decoded(message)
        models = self.params, jnp.int32(self.age), received, jnp.int32(message.age)
        params, age = merge(*models, jnp.int32(len(self.merged) - 1))
        self.params, self.age = tuple(self._carried(params, is_carried)), int(age)
        self.rules.check(self, "merged model", dict(enumerate(self.params)))

    def _merge_all(self, merge_all: Callable[..., Any], messages: list[Message]) -> None:
        """Merges all models at once; numbers that no message carries do not change."""
        own, has_weight = Model(self.params, jnp.int32(self.age), self.weight), self.weight is not None
        params, carried = zip(*map(self._decoded, messages), strict=True)
        is_carried = None if self.rules.content is None else jax.tree.map(lambda *one: jnp.stack(one), *carried)
        received = Received(
            params=jax.tree.map(lambda *leaves: jnp.stack(leaves), *params),
            age=jnp.asarray([message.age for message in messages], jnp.int32),
            mask=jnp.ones(len(messages), bool),
            staleness=jnp.asarray([self.tick - message.tick_sent for message in messages], jnp.int32),
            carried=is_carried,
            weight=jnp.stack([message.weight for message in messages]) if has_weight else None,
        )
        merged = merge_all(own, received)
        by_any = jax.tree.map(lambda rows: rows.any(axis=0), is_carried)
        self.params, self.age = tuple(self._carried(merged.params, by_any)), int(merged.age)
        self.weight = merged.weight
        self.rules.check(self, "merged model", dict(enumerate(self.params)))

    def _decoded(self, message: Message) -> tuple[Any, Any]:
        """A received model, with the node's own numbers where none came, and a mask of those that did; None for all."""
        content = self.rules.content
        return (message.payload, None) if content is None else content.decode(message.payload, self.params)

    def _carried(self, params: Any, is_carried: Any) -> Any:
        """The merged numbers where some came, the node's own elsewhere."""
        return params if is_carried is None else jax.tree.map(jnp.where, is_carried, params, self.params)

    def _accepts(self, message: Message, position: int, draws: Draws) -> bool:
        assert self.rules.spec.gossip is not None
        probability = self.rules.spec.gossip.acceptance.probability
        if probability is None:
            return True
        return bool(
            draws.coin(self.number, position) < probability(jnp.int32(message.src_degree), jnp.int32(self.degree))
        )

    def embed(self) -> None:
        """Computes the embeddings bottom-up, without a step."""
        own, embeddings = self.features, []
        for index, layer in enumerate(self.rules.spec.layers):
            inputs = self._inputs(index, own)
            results = self.rules.arithmetic.embed(layer, self.params[index]["layer"], inputs)
            own = self._checked_embedding(index, inputs, *results)
            embeddings.append(own)
        self.embeddings, self.embedded_at = tuple(embeddings), self.tick

    def train(self, draws: Draws) -> None:
        """Trains the layers bottom-up; each enters the next, and is published, as it was before its step."""
        own, embeddings = self.features, []
        for index in range(len(self.params)):
            own = self._train_layer(index, own, draws)
            embeddings.append(own)
        self.embeddings, self.embedded_at = tuple(embeddings), self.tick
        self.age += bool(self.losses)

    def _train_layer(self, index: int, own: jax.Array, draws: Draws) -> jax.Array:
        """Steps a layer if its loss is defined; returns the embedding before the step."""
        spec, params = self.rules.spec, self.params[index]
        inputs, compared = self._inputs(index, own), self._compared(index, draws)
        parts = spec.layers[index], spec.objectives[index]
        key = draws.key(index, self.number)
        loss, gradient, *results = self.rules.arithmetic.learn(*parts, params, inputs, compared, key)
        embedding = self._checked_embedding(index, inputs, *results)
        if not spec.objectives[index].is_defined(compared.pos_mask, compared.neg_mask):
            self.num_idle[index] += 1
            return embedding
        made_of = params, inputs.own, results[0], compared
        self.rules.check(self, "loss", {index: loss}, made_of)
        self.rules.check(self, "gradient of the loss", {index: gradient}, made_of)
        self._step(index, gradient)
        self.losses[index] = float(loss)
        return embedding

    def _step(self, index: int, gradient: Any) -> None:
        """Moves the parameters of one layer down the gradient."""
        params, opt_state, num_steps = self.params[index], self.opt_state[index], jnp.int32(self.num_steps[index])
        after = self.rules.arithmetic.step(self.rules.spec.optimizer, gradient, opt_state, params, num_steps)
        for stage, value in zip(("model after the step", "optimizer state after the step"), after, strict=True):
            self.rules.check(self, stage, {index: value}, (gradient, params, opt_state))
        self.params = (*self.params[:index], after[0], *self.params[index + 1 :])
        self.opt_state = (*self.opt_state[:index], after[1], *self.opt_state[index + 1 :])
        self.num_steps[index] += 1

    def in_use(self) -> dict[int, Message]:
        """The embeddings in the mailbox that have not expired."""
        assert self.rules.spec.publish is not None
        expiry = self.rules.spec.publish.expiry
        return {
            edge: message
            for edge, message in self.mailbox.items()
            if expiry is None or self.tick <= message.tick_sent + int(expiry)
        }

    def _inputs(self, index: int, own: jax.Array) -> Inputs:
        """The inputs of a layer: the newest vectors that came over each in-edge."""
        num_edges = self.rules.links.num_edges
        received, is_there = np.zeros((num_edges, *own.shape), own.dtype), np.zeros(num_edges, bool)
        from_below = {edge: message.payload[index - 1] for edge, message in self.in_use().items()}
        for edge, vector in (from_below if index else self.neighbour_features).items():
            received[edge], is_there[edge] = vector, True
        return Inputs(np.int32(self.number), own, received, is_there, self.rules.links)

    def _checked_embedding(self, index: int, inputs: Inputs, aggregated: Any, embedding: jax.Array) -> jax.Array:
        self.rules.check(self, "aggregated vector", {index: aggregated}, (inputs.own, inputs.received))
        self.rules.check(self, "embedding", {index: embedding}, (self.params[index], inputs.own, aggregated))
        return embedding

    def _compared(self, index: int, draws: Draws) -> Compared:
        """The vectors that a loss compares with: this tick's positives that are there, and the samples."""
        held = self.in_use()
        positives = [held.get(edge) for edge in draws.positives(self.number)]
        empty = [None] * (self.rules.sample_capacity - len(self.samples))
        return Compared(
            *self._stacked("positive", positives, index), *self._stacked("sample", [*self.samples, *empty], index)
        )

    def _stacked(self, stage: str, messages: Sequence[Message | None], index: int) -> tuple[Any, Any]:
        """Embeddings of one layer from messages [n, F'], zeros for None; and a mask of those that are there [n]."""
        like = self.embeddings[index]
        rows, mask = np.zeros((len(messages), *like.shape), like.dtype), np.zeros(len(messages), bool)
        for i, message in enumerate(messages):
            if message is not None:
                self.rules.check(self, stage, {index: message.payload[index]}, message=message)
                rows[i], mask[i] = message.payload[index], True
        return rows, mask

    def publish(self, draws: Draws, is_refresh: bool = False) -> list[Message]:
        """The embeddings for every out-neighbour whose link is up, if the schedule is due or in a refresh."""
        schedule = self.rules.schedule("embedding")
        is_due = schedule is None or schedule.decide((), jnp.int32(self.wakes), jnp.int32(0), None, 1) > 0
        candidates = draws.to_neighbours(self.out_edges.items()) if is_refresh or is_due else []
        return [self._message("embedding", candidate, self.embeddings) for candidate in candidates]

    def push(self, draws: Draws, is_refresh: bool = False) -> list[Message]:
        """The embeddings for random nodes; in a refresh for all candidates, without the schedule."""
        if is_refresh:
            chosen = [candidate for candidate in draws.candidates("push", self.number) if candidate is not None]
        else:
            chosen = self._choose("push", draws)
        return [self._message("push", candidate, self.embeddings) for candidate in chosen]

    def send_models(self, draws: Draws) -> list[Message]:
        """The model for random nodes; the last rejected one, once, in place of the first."""
        messages, chosen = [], self._choose("model", draws)
        if self.weight is not None and chosen:
            assert self.rules.spec.gossip is not None
            assert self.rules.spec.gossip.merge.divide is not None
            self.weight = self.rules.spec.gossip.merge.divide(self.weight, jnp.int32(len(chosen)))
        payload: Any = self._encoded(draws) if len(chosen) > (self.kept is not None) else ()
        for candidate in chosen:
            kept, self.kept = self.kept, None
            model, age = (payload, self.age) if kept is None else (kept.payload, kept.age)
            message = self._message("model", candidate, model, age, is_passed_on=kept is not None)
            messages.append(replace(message, weight=self.weight))
        return messages

    def _encoded(self, draws: Draws) -> Any:
        """The content of this wake's model messages: of the node's model, or of the one that an attacker makes."""
        params, wakes, content = self.params, jnp.int32(self.wakes), self.rules.content
        if self.is_attacker and self.rules.spec.attackers is not None:
            alone = tuple(map(without_moments, params))
            lies = self.rules.spec.attackers.attack.corrupt(alone, draws.key(ATTACK, self.number), wakes)
            params = tuple(layer | lie for layer, lie in zip(params, lies, strict=True))
        if content is None:
            return params
        key = draws.key(CONTENT, self.number)
        self.content_memory, message = content.encode(self.content_memory, params, key, wakes)
        return message

    def _choose(self, kind: str, draws: Draws) -> list[Candidate]:
        """The candidates that are sent, by the schedule, which is told their number."""
        schedule, memory = self.rules.schedule(kind), self.schedule_memory[kind]
        if schedule is None:
            return []
        candidates, uniforms = draws.candidates(kind, self.number), draws.uniforms(kind, self.number)
        drawn = None if uniforms is None else jnp.asarray(uniforms)
        num_merged = jnp.int32(len(self.merged))
        wanted = int(schedule.decide(memory, jnp.int32(self.wakes), num_merged, drawn, len(candidates)))
        chosen = [candidate for candidate in candidates[: max(0, wanted)] if candidate is not None]
        self.schedule_memory[kind] = schedule.settle(memory, jnp.int32(len(chosen)))
        self.num_excess[kind] += max(0, wanted - len(candidates))
        return chosen

    def _message(
        self, kind: str, candidate: Candidate, payload: tuple[Any, ...], age: int = 0, is_passed_on: bool = False
    ) -> Message:
        return Message(
            kind=kind,
            src=self.number,
            dst=candidate.dst,
            tick_sent=self.tick,
            tick_due=self.tick + 1 + min(max(candidate.delay, 0), self.rules.max_delay(kind)),
            payload=payload,
            age=age,
            src_degree=self.degree,
            rank=candidate.rank,
            slot=candidate.slot,
            is_dropped=candidate.is_dropped,
            is_passed_on=is_passed_on,
        )
