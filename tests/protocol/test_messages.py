"""Order of arrival, inboxes and sample buffers against plain sequential code."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jdgnn.protocol.messages import arrivals, inbox_sources
from jdgnn.protocol.sample_buffer import empty_buffer, store

NUM_NODES, NUM_SLOTS = 5, 2

compiled_arrivals = jax.jit(arrivals)
compiled_inbox = jax.jit(inbox_sources, static_argnames="capacity")
compiled_store = jax.jit(store)


def sequential_arrivals(dst: np.ndarray, rank: np.ndarray) -> list[list[int]]:
    """Senders in order of arrival, for each receiver."""
    num_nodes, num_slots = dst.shape
    messages = sorted((rank[v, s], v * num_slots + s, v, dst[v, s]) for v in range(num_nodes) for s in range(num_slots))
    return [[v for _, _, v, receiver in messages if receiver == node] for node in range(num_nodes)]


@st.composite
def message_tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = (NUM_NODES, NUM_SLOTS)
    size = NUM_NODES * NUM_SLOTS
    dst = draw(st.lists(st.integers(0, NUM_NODES), min_size=size, max_size=size))
    rank = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))  # few values: ties happen
    return np.array(dst, np.int32).reshape(shape), np.array(rank, np.uint32).reshape(shape)


@given(message_tables())
def test_arrivals_are_ordered_by_rank_then_slot(table: tuple[np.ndarray, np.ndarray]) -> None:
    dst, rank = table
    found = compiled_arrivals(dst, rank)
    expected = sequential_arrivals(dst, rank)
    for node in range(NUM_NODES):
        mine = np.asarray(found.dst) == node
        assert np.asarray(found.src)[mine].tolist() == expected[node]
        assert np.asarray(found.position)[mine].tolist() == list(range(len(expected[node])))
    assert found.num_received.tolist() == [len(senders) for senders in expected]


@given(message_tables(), st.integers(1, 4))
def test_inbox_keeps_the_newest_in_order(table: tuple[np.ndarray, np.ndarray], capacity: int) -> None:
    dst, rank = table
    found = compiled_arrivals(dst, rank)
    src, is_model = compiled_inbox(found, capacity)
    expected = sequential_arrivals(dst, rank)
    for node in range(NUM_NODES):
        assert np.asarray(src)[node][np.asarray(is_model)[node]].tolist() == expected[node][-capacity:]
    displaced = sum(max(len(senders) - capacity, 0) for senders in expected)
    assert int(found.num_displaced(capacity)) == displaced


@settings(max_examples=30)
@given(st.lists(message_tables(), min_size=1, max_size=6), st.integers(1, 4))
def test_sample_buffer_is_a_fifo(tables: list[tuple[np.ndarray, np.ndarray]], capacity: int) -> None:
    buffer = empty_buffer(NUM_NODES, capacity, (1,), jnp.float32)
    expected: list[list[float]] = [[] for _ in range(NUM_NODES)]
    for tick, (dst, rank) in enumerate(tables):
        embedding = 100.0 * tick + np.arange(NUM_NODES)
        buffer = compiled_store(buffer, compiled_arrivals(dst, rank), (embedding[:, None].astype(np.float32),))
        for node, senders in enumerate(sequential_arrivals(dst, rank)):
            expected[node] = (expected[node] + [embedding[v] for v in senders])[-capacity:]
    for node in range(NUM_NODES):
        held = np.asarray(buffer.entries[0])[node, :, 0][np.asarray(buffer.mask)[node]]
        assert sorted(held.tolist()) == sorted(expected[node])


@pytest.mark.parametrize("num_slots", [0, 1])
def test_nothing_sent_is_nothing_received(num_slots: int) -> None:
    nobody = jnp.full((3, num_slots), 3, jnp.int32)
    found = arrivals(nobody, jnp.zeros((3, num_slots), jnp.uint32))
    assert found.num_received.tolist() == [0, 0, 0]
    assert not inbox_sources(found, 2)[1].any()
    assert int(found.num_displaced(1)) == 0
