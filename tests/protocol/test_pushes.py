"""Pushes on their way against a plain queue, sorted at once or in batches."""

from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jdgnn.backend.backend import backend
from jdgnn.protocol import pushes, rings
from jdgnn.protocol.messages import Content
from jdgnn.protocol.sample_buffer import empty_buffer
from tests.protocol.sequential import NUM_NODES, NUM_SLOTS, sequential_arrivals

MAX_DELAY, CAPACITY, NUM_TICKS = 3, 4, 12
SHAPE = (NUM_NODES, NUM_SLOTS)


@cache
def compiled(is_batched: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Receiving and sending; `is_batched` makes room for few messages at once, as in a large network."""

    names = jnp.arange(NUM_NODES, dtype=jnp.float32)[:, None]

    def receive(flight: Any, tick: Any, online: Any, buffer: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pushes, "FEWEST", 1 if is_batched else pushes.FEWEST)
            return pushes.receive(backend(), flight, tick, online, buffer, lambda src, _: Content((names,), src))

    return jax.jit(receive), jax.jit(pushes.send)


@pytest.mark.parametrize("is_batched", [False, True])
@pytest.mark.parametrize("is_storm", [False, True])
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), online_share=st.sampled_from([1.0, 0.6]))
def test_pushes_are_taken_in_order_of_sending_then_rank_then_slot(
    is_batched: bool, is_storm: bool, seed: int, online_share: float
) -> None:
    """In a storm all that was sent in four ticks arrives in one."""
    receive, send = compiled(is_batched)
    rng = np.random.default_rng(seed)
    flight = pushes.no_pushes(NUM_NODES, NUM_SLOTS, MAX_DELAY)
    buffer = empty_buffer(NUM_NODES, CAPACITY, (1,), jnp.float32)
    on_the_way: list[tuple[int, int, int, int, int]] = []  # tick due, tick sent, rank, number, receiver
    queues: list[deque[int]] = [deque(maxlen=CAPACITY) for _ in range(NUM_NODES)]  # senders
    for tick in range(NUM_TICKS):
        online = rng.random(NUM_NODES) < online_share
        buffer, counts = receive(flight, tick, online, buffer)
        due = [message[1:] for message in on_the_way if message[0] == tick]
        on_the_way = [message for message in on_the_way if message[0] > tick]
        *order, receivers = zip(*due, strict=True) if due else ((), (), (), ())
        for node, taken in enumerate(sequential_arrivals(receivers, *order)):
            stored = len(taken) if online[node] else 0
            assert int(counts["push", "to_offline"][node]) == len(taken) - stored
            assert int(counts["push", "evicted"][node]) == max(stored - CAPACITY, 0)
            assert int(counts["push", "delivered"][node]) == min(stored, CAPACITY)
            queues[node].extend(order[2][message] // NUM_SLOTS for message in taken if online[node])
            held = np.asarray(buffer.entries[0])[node, :, 0][np.asarray(buffer.mask)[node]]
            assert sorted(held.tolist()) == sorted(queues[node])

        is_sent, dropped = rng.random(SHAPE) < 0.8, rng.random(SHAPE) < 0.2
        dst, rank = rng.integers(0, NUM_NODES, SHAPE, np.int32), rng.integers(0, 3, SHAPE, np.uint32)
        delay = rng.integers(0, MAX_DELAY + 1, SHAPE, np.int32)
        if is_storm:
            delay[:] = MAX_DELAY - tick % (MAX_DELAY + 1)
        flight, counts = send(flight, tick, is_sent, dst, rank, dropped, delay)
        assert counts["push", "sent"].tolist() == is_sent.sum(axis=1).tolist()
        assert counts["push", "dropped"].tolist() == (is_sent & dropped).sum(axis=1).tolist()
        for number in np.flatnonzero(is_sent & ~dropped):
            late, order_rank, receiver = delay.flat[number], rank.flat[number], dst.flat[number]
            on_the_way.append((tick + 1 + int(late), tick, int(order_rank), int(number), int(receiver)))
        by_sender = np.bincount([message[3] // NUM_SLOTS for message in on_the_way], minlength=NUM_NODES)
        assert rings.num_in_flight(flight.delay, jnp.int32(tick + 1)).tolist() == by_sender.tolist()
