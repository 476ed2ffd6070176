"""All that the engine holds against all that the oracle's nodes hold."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
from numpy.testing import assert_array_equal

import jdgnn
from jdgnn.protocol.accounts import KINDS, whole
from jdgnn.protocol.transport import ModelPool
from jdgnn.reference import Message
from jdgnn.reference.oracle import Oracle


def assert_close(actual: Any, expected: Any) -> None:
    """Compares trees leaf by leaf; a leaf that is missing in one is an error."""
    chex.assert_trees_all_close(actual, expected, rtol=1e-9, atol=1e-9)


def numbers_of(oracle: Oracle) -> dict[str, Any]:
    """What rounding can touch of the oracle's nodes, in the engine's form."""

    def stacked(name: str) -> Any:
        return jax.tree.map(lambda *rows: jnp.asarray(np.stack(rows)), *(getattr(node, name) for node in oracle.nodes))

    return {name: stacked(name) for name in ("params", "opt_state", "embeddings", "weight")}


def assert_same_state(oracle: Oracle, state: jdgnn.State) -> None:
    """Everything the next tick needs is the same on both sides."""
    nodes = oracle.nodes
    assert int(state.tick) == oracle.now
    for name, expected in numbers_of(oracle).items():
        assert_close(getattr(state, name), expected)
    for name in ("embedded_at", "age", "wakes", "num_steps"):
        assert_array_equal(getattr(state, name), [getattr(node, name) for node in nodes])
    assert_array_equal(whole(state.num_idle), np.sum([node.num_idle for node in nodes], axis=0))
    assert whole(state.num_unplaced) == oracle.post.num_unplaced
    for row, kind in enumerate(("push", "model")):
        assert whole(state.num_excess)[row] == sum(node.num_excess[kind] for node in nodes)
        for memory in jax.tree.leaves((state.push_schedule, state.model_schedule)[row]):
            assert_array_equal(memory, [node.schedule_memory[kind] for node in nodes])
    for memory, *rows in zip(*map(jax.tree.leaves, (state.content, *(n.content_memory for n in nodes))), strict=True):
        assert_close(memory, np.stack(rows))
    assert_same_mailboxes(oracle, state)
    if state.samples is not None:
        assert_same_samples(oracle, state.samples)
    if isinstance(state.models, ModelPool):
        assert_same_pool(oracle, state.models)
    assert_same_accounts(oracle, state)


def assert_same_mailboxes(oracle: Oracle, state: jdgnn.State) -> None:
    """The same versions; what they say, too, where they are held at all."""
    if state.mailbox is None:
        return
    for node in oracle.nodes:
        for edge in node.in_edges:
            message = node.mailbox.get(edge)
            assert int(state.mailbox.version[edge]) == (-1 if message is None else message.tick_sent)
            if message is not None:
                assert_close(tuple(np.asarray(layer[edge]) for layer in state.mailbox.entries), tuple(message.payload))


def assert_same_samples(oracle: Oracle, samples: Any) -> None:
    """Each buffer holds the same samples, in whatever slots."""
    assert_array_equal(samples.num_samples, [len(node.samples) for node in oracle.nodes])
    entries = [np.asarray(layer) for layer in samples.entries]
    for node in oracle.nodes:
        held = [np.concatenate([layer[node.number, slot] for layer in entries]) for slot in range(len(node.samples))]
        for message in node.samples:
            gaps = [np.abs(np.concatenate(message.payload) - sample).max() for sample in held]
            assert min(gaps) < 1e-9
            held.pop(int(np.argmin(gaps)))


def assert_same_pool(oracle: Oracle, pool: ModelPool) -> None:
    """The same models wait, in the same order, and as many places are taken."""
    assert int(np.sum(~np.asarray(pool.is_free))) == oracle.num_places_taken
    held = jax.tree.map(np.asarray, (pool.params, pool.age, pool.weight))
    for node in oracle.nodes:
        waiting = [int(place) for place in pool.inbox[node.number] if place < pool.num_places]
        assert len(waiting) == len(node.inbox)
        for place, message in zip(waiting, node.inbox, strict=True):
            _assert_same_model(held, place, message)
            assert int(pool.src[place]) == message.src
        if pool.kept is not None:
            place = int(pool.kept[node.number])
            assert (place < pool.num_places) == (node.kept is not None)
            if node.kept is not None:
                _assert_same_model(held, place, node.kept)


def _assert_same_model(held: Any, place: int, message: Message) -> None:
    params, age, weight = jax.tree.map(lambda leaf: leaf[place], held)
    assert_close((params, weight), (message.payload, message.weight))
    assert int(age) == message.age


def assert_same_accounts(oracle: Oracle, state: jdgnn.State) -> None:
    """Every message came to the same end, booked at the same node; and those that did not are on their way."""
    assert_array_equal(whole(state.accounts.words), oracle.post.table())
    for kind in KINDS:
        assert oracle.post.num_open(kind) == oracle.num_waiting(kind)


def assert_same_losses(oracle: Oracle, info: Any) -> None:
    """The same layers stepped, at the same losses."""
    is_stepped, loss = np.asarray(info.is_stepped), np.asarray(info.loss)
    for node in oracle.nodes:
        assert np.flatnonzero(is_stepped[node.number]).tolist() == sorted(node.losses)
        for layer, expected in node.losses.items():
            assert_close(loss[node.number, layer], expected)


def assert_same_staleness(oracle: Oracle, stale: Any, is_using: Any) -> None:
    """What nodes used of their neighbours was as old; only what an active node holds counts."""
    for node in oracle.nodes:
        assert bool(is_using[node.number]) == bool(node.staleness)
        if node.staleness:
            assert_close(float(stale[node.number]), float(np.mean(list(node.staleness.values()))))
