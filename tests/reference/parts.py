"""The twins as parts of an emulator, for the reference alone, which calls a part for one node at a time."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.emulation.spec import Spec
from jdgnn.learning.layers import Layer
from jdgnn.protocol.acceptance import Acceptance
from jdgnn.protocol.attacks import Attack
from jdgnn.protocol.content import Content
from jdgnn.protocol.content.top_k import Carried
from jdgnn.protocol.merging import MergeRule
from jdgnn.protocol.model import Model, Received
from jdgnn.protocol.schedules import Schedule
from tests.reference import twins


@cache
def aggregate(kind: str) -> Callable[..., Any]:
    """A twin of one node as a layer's `aggregate` over the edges of all."""

    def over_edges(own: Any, received: Any, mask: Any, topology: Any, query: Any) -> Any:
        def at_node(number: Any, query: Any) -> Any:
            there = (mask & (topology.receivers == number)).astype(own.dtype)
            heard = received, there, degree[topology.senders]
            return twins.AGGREGATES[kind](own[number], degree[number], *heard, query)

        degree = topology.in_degree.astype(own.dtype)
        return jax.vmap(at_node)(jnp.arange(topology.num_nodes, dtype=jnp.int32), query)

    return over_edges


def layer(kind: str, real: Layer) -> Layer:
    """A layer whose aggregation is the twin's."""
    return real._replace(aggregate=aggregate(kind))


def merge_rule(name: str, limit: int = 1, is_variance_corrected: bool = False) -> MergeRule:
    """The twin of a merge rule."""
    if name in twins.WHOLE_INBOX:
        return _inbox_rule(name)
    fold = twins.merge_rule(name, limit, is_variance_corrected)

    def merge(params: Any, age: Any, received: Any, received_age: Any, fold_index: Any) -> Any:
        own, other = (jax.tree.map(np.asarray, model) for model in (params, received))
        merged, oldest = fold(own, int(age), other, int(received_age), int(fold_index))
        return jax.tree.map(jnp.asarray, merged), oldest

    return MergeRule(merge=merge)


def _inbox_rule(name: str) -> MergeRule:
    def merge_all(own: Model, received: Received) -> Model:
        models = [(own.params, own.age, own.weight)]
        for number in np.flatnonzero(received.mask):
            weight = None if received.weight is None else received.weight[number]
            rows = jax.tree.map(lambda leaf, number=number: leaf[number], received.params)
            if received.carried is not None and name == "trimmed_mean":  # others see the node's own numbers there
                came = jax.tree.map(lambda leaf, number=number: leaf[number], received.carried)
                rows = jax.tree.map(lambda leaf, is_there: np.where(is_there, leaf, np.nan), rows, came)
            models.append((rows, received.age[number], weight))
        inbox = [
            (jax.tree.map(np.asarray, tree), int(age), 1.0 if weight is None else float(weight))
            for tree, age, weight in models
        ]
        params, age, total = twins.WHOLE_INBOX[name](inbox)
        weight = None if own.weight is None else jnp.asarray(total)
        return Model(jax.tree.map(jnp.asarray, params), jnp.int32(age), weight)

    halve = (lambda weight, num_sent: weight / (1.0 + num_sent.astype(weight.dtype))) if name == "push_sum" else None
    return MergeRule(merge_all=merge_all, divide=halve)


def acceptance(name: str) -> Acceptance:
    """The twin of an acceptance rule."""
    kinds: dict[str, Any] = {"always": None, "degree": lambda sent, own: twins.by_degree(int(sent), int(own))}
    return Acceptance(probability=kinds[name])


def content(name: str, share: float) -> Content | None:
    """The twin of a content with error feedback."""
    if name == "whole":
        return None

    def encode(memory: Any, params: Any, key: Any, wakes: Any) -> Any:
        leaves, structure = jax.tree.flatten(params)
        sums = [np.asarray(leaf) + left for leaf, left in zip(leaves, memory, strict=True)]
        pairs = [twins.largest(leaf, share) for leaf in sums]
        left = [twins.without(leaf, index) for leaf, (_, index) in zip(sums, pairs, strict=True)]
        return left, jax.tree.unflatten(structure, [Carried(*map(jnp.asarray, pair)) for pair in pairs])

    def decode(message: Any, own: Any) -> Any:
        leaves, structure = jax.tree.flatten(own)
        carried = [
            twins.placed(*map(np.asarray, (leaf, *pair))) for leaf, pair in zip(leaves, pairs_of(message), strict=True)
        ]
        return tuple(jax.tree.unflatten(structure, trees) for trees in zip(*carried, strict=True))

    return Content(lambda params: [np.zeros(leaf.shape) for leaf in jax.tree.leaves(params)], encode, decode)


def pairs_of(message: Any) -> list[Carried]:
    """Values and places of each array in a message."""
    return jax.tree.leaves(message, is_leaf=lambda one: isinstance(one, Carried))


def sign_flip(scale: float) -> Attack:
    """The twin of `jdgnn.attacks.sign_flip`."""
    return Attack(lambda params, key, wakes: jax.tree.map(lambda leaf: np.asarray(leaf) * -scale, params))


def every(wakes: int = 1, phase: int = 0) -> Schedule:
    """The twin of `jdgnn.schedules.every`."""

    def decide(memory: Any, wake: Any, num_merged: Any, uniforms: Any, num_candidates: int) -> int:
        return twins.every_wanted(int(wake), num_candidates, wakes, phase)

    return Schedule(init=tuple, decide=decide, settle=lambda memory, num_sent: memory)


def token_account(capacity: int, reserve: int) -> Schedule:
    """The twin of `jdgnn.schedules.token_account`."""

    def decide(balance: Any, wake: Any, num_merged: Any, uniforms: Any, num_candidates: int) -> int:
        return twins.account_wanted(int(balance), int(num_merged), np.asarray(uniforms).tolist(), capacity, reserve)

    def settle(balance: Any, num_sent: Any) -> int:
        return twins.account_after(int(balance), int(num_sent), capacity)

    return Schedule(init=int, decide=decide, settle=settle, is_random=True)


def with_twins(
    emulator: Spec,
    layers: tuple[str, ...],
    publish: Schedule | None = None,
    push: Schedule | None = None,
    attack: Attack | None = None,
    **gossip: Any,
) -> Any:
    """The same emulator, made of twins: of its layers, by name, and of what stands in its settings."""
    changes: dict[str, Any] = {
        "layers": [layer(kind, real) for kind, real in zip(layers, emulator.layers, strict=True)],
        "publish": replace(emulator.traffic.publish, schedule=publish) if publish else emulator.publish,
        "push": replace(emulator.push, schedule=push) if emulator.push and push else emulator.push,
        "gossip": replace(emulator.gossip, **gossip) if emulator.gossip else None,
        "attackers": replace(emulator.attackers, attack=attack)
        if emulator.attackers and attack
        else emulator.attackers,
    }
    return replace(emulator, **changes)
