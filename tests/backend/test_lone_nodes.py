"""Nodes that train alone put their steps off, and whoever sleeps in the next tick must not lose one."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jdgnn
from jdgnn import clocks, presence
from jdgnn.emulation import chunks
from jdgnn.emulation.arrays import features_of
from jdgnn.emulation.sources import Draw
from jdgnn.emulation.state import State
from jdgnn.network.topology import topology
from tests.support import assert_same_bits, small_network

pytestmark = pytest.mark.usefixtures("compiled", "in_double")

NUM_TICKS = 15
NETWORK = replace(small_network(), features=small_network().features.astype(np.float64))
AVAILABILITIES: dict[str, Callable[[], jdgnn.Availability]] = {
    "asleep": lambda: jdgnn.availability(clocks.bernoulli(0.5)),
    "churn": lambda: jdgnn.availability(presence=presence.churn(6, 3)),
}


@cache
def alone(name: str) -> jdgnn.Emulator:
    return jdgnn.Emulator(
        layers=[jdgnn.sage(4)],
        objective=jdgnn.edge_reconstruction(),
        optimizer=jdgnn.sgd(0.02),
        push=jdgnn.push(fanout=1, capacity=3),
        gossip=None,
        availability=AVAILABILITIES[name](),
        num_positives=3,
        kernels=True,
    )


def outcomes(name: str) -> list[State]:
    """What the same events lead to with kernels and without."""
    emulator, links, features = alone(name), topology(NETWORK), features_of(NETWORK)
    state = emulator.init(jax.random.key(1), NETWORK)
    source = Draw(emulator, links, state)
    state, events = source.next(state, NUM_TICKS)
    is_recorded = jnp.zeros(source.length, bool)
    return [
        chunks.advance(chosen, links, features, jdgnn.copy(state), events, jnp.int32(NUM_TICKS), is_recorded)[0]
        for chosen in (emulator, replace(emulator, kernels=False))
    ]


@pytest.mark.parametrize("name", AVAILABILITIES)
def test_no_step_is_lost(name: str) -> None:
    state, plain = outcomes(name)
    assert 0 < int(state.num_steps.min(where=state.num_steps > 0, initial=NUM_TICKS)) < NUM_TICKS
    assert_array_equal(state.num_steps, plain.num_steps)
    for actual, expected in zip(
        *(jax.tree.leaves((end.params, end.embeddings)) for end in (state, plain)), strict=True
    ):
        assert_allclose(actual, expected, rtol=1e-9, atol=1e-9)


def test_no_bit_depends_on_how_a_run_is_cut() -> None:
    def run(*lengths: int, record_every: int = 1000) -> Any:
        state = alone("asleep").init(jax.random.key(3), NETWORK)
        for length in lengths:
            state, _ = jdgnn.run(alone("asleep"), state, NETWORK, length, record_every=record_every)
        return state

    whole = run(20)
    assert_same_bits(run(20, record_every=1), whole)
    assert_same_bits(run(*(1,) * 20), whole)
