"""Order of arrival and sample buffers against plain sequential code."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jdgnn.backend.backend import backend
from jdgnn.protocol.messages import Content, arrivals
from jdgnn.protocol.sample_buffer import empty_buffer, store
from tests.protocol.sequential import NUM_NODES, NUM_SLOTS, Table, message_tables, sequential_arrivals

compiled_arrivals = jax.jit(partial(arrivals, backend(), NUM_NODES))
compiled_store = jax.jit(partial(store, backend()))


@given(message_tables())
def test_arrivals_are_ordered_by_rank_then_slot(table: Table) -> None:
    found, expected = compiled_arrivals(*table), sequential_arrivals(*table)
    for node in range(NUM_NODES):
        mine = np.asarray(found.dst) == node
        assert np.asarray(found.index)[mine].tolist() == expected[node]
        assert np.asarray(found.position)[mine].tolist() == list(range(len(expected[node])))
    assert found.num_received.tolist() == [len(messages) for messages in expected]


@given(message_tables(), st.integers(0, 4))
def test_the_last_of_each_receiver_are_known(table: Table, capacity: int) -> None:
    found, expected = compiled_arrivals(*table), sequential_arrivals(*table)
    last = np.asarray(found.index)[np.asarray(found.is_among_last(capacity))]
    assert sorted(last.tolist()) == sorted(
        number for messages in expected for number in messages[len(messages) - min(capacity, len(messages)) :]
    )


@given(message_tables(), st.lists(st.booleans(), min_size=NUM_NODES, max_size=NUM_NODES))
def test_what_reaches_nodes_that_are_not_there_is_counted_and_left_out(table: Table, online: list[bool]) -> None:
    expected = sequential_arrivals(*table)
    found, num_to_offline = compiled_arrivals(*table).at(jnp.array(online))
    for node in range(NUM_NODES):
        mine = np.asarray(found.dst) == node
        assert np.asarray(found.index)[mine].tolist() == (expected[node] if online[node] else [])
        assert int(found.num_received[node]) == mine.sum()
        assert int(num_to_offline[node]) == (0 if online[node] else len(expected[node]))


@settings(max_examples=30)
@given(st.lists(message_tables(), min_size=1, max_size=6), st.integers(1, 4))
def test_sample_buffer_is_a_fifo(tables: list[Table], capacity: int) -> None:
    buffer = empty_buffer(NUM_NODES, capacity, (1,), jnp.float32)
    expected: list[list[float]] = [[] for _ in range(NUM_NODES)]
    for tick, table in enumerate(tables):
        messages = compiled_arrivals(*table)
        content = 100 * tick + np.arange(NUM_NODES * NUM_SLOTS)
        carried = Content((jnp.asarray(content[:, None].astype(np.float32)),), messages.index)
        buffer = compiled_store(buffer, messages, carried)
        for node, numbers in enumerate(sequential_arrivals(*table)):
            expected[node] = (expected[node] + [content[number] for number in numbers])[-capacity:]
    for node in range(NUM_NODES):
        held = np.asarray(buffer.entries[0])[node, :, 0][np.asarray(buffer.mask)[node]]
        assert sorted(held.tolist()) == sorted(expected[node])


@pytest.mark.parametrize("num_messages", [0, 3])
def test_nothing_sent_is_nothing_received(num_messages: int) -> None:
    nobody = jnp.full(num_messages, NUM_NODES, jnp.int32)
    found = arrivals(backend(), NUM_NODES, nobody, jnp.zeros(num_messages, jnp.uint32))
    assert found.num_received.tolist() == [0] * NUM_NODES
    assert not found.is_among_last(2).any()
