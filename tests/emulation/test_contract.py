"""The contract of docs/design.md over every registered part."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jdgnn
from jdgnn.emulation.tick import apply_events, sample_events
from jdgnn.learning.layers import LAYERS
from jdgnn.learning.objectives import OBJECTIVES
from jdgnn.learning.optimizers import OPTIMIZERS, RATE_SCHEDULES
from jdgnn.network.topology import topology
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.peers import PEERS
from tests.support import assert_same_bits, leaves, num_programs, small_emulator, small_network

compiled_sample = jax.jit(sample_events)
compiled_apply = jax.jit(lambda *arguments: apply_events(*arguments)[0])

SETTINGS: dict[str, dict[str, Any]] = {
    **{f"layer {n}": {"layers": [make(4), make(3, activation="tanh")]} for n, make in LAYERS.items()},
    **{f"objective {n}": {"objective": make()} for n, make in OBJECTIVES.items()},
    **{f"optimizer {n}": {"optimizer": make(1e-2)} for n, make in OPTIMIZERS.items()},
    "rate_schedule constant": {"optimizer": jdgnn.adam(1e-2, rate_schedule=RATE_SCHEDULES["constant"]())},
    "rate_schedule cosine": {"optimizer": jdgnn.sgd(1e-1, rate_schedule=RATE_SCHEDULES["cosine"](horizon=50))},
    **{
        f"peers {n}": {"gossip": jdgnn.gossip(peers=make()), "push": jdgnn.push(peers=make())}
        for n, make in PEERS.items()
    },
    **{f"merge {n}": {"gossip": jdgnn.gossip(merge=make())} for n, make in MERGES.items()},
    "no push": {"push": None, "objective": jdgnn.edge_reconstruction()},
    "no gossip": {"gossip": None},
    "independent": {"start": "independent"},
    "optax": {"optimizer": optax.adamw(1e-2)},
}


def test_every_registered_part_is_covered() -> None:
    for kind, registry in (
        ("layer", LAYERS),
        ("objective", OBJECTIVES),
        ("optimizer", OPTIMIZERS),
        ("rate_schedule", RATE_SCHEDULES),
        ("peers", PEERS),
        ("merge", MERGES),
    ):
        assert {f"{kind} {name}" for name in registry} <= set(SETTINGS)


@pytest.fixture(params=SETTINGS)
def emulator(request: pytest.FixtureRequest) -> jdgnn.Emulator:
    return small_emulator(**SETTINGS[request.param])


def test_a_run_keeps_the_state_moves_the_parameters_and_compiles_once(emulator: jdgnn.Emulator) -> None:
    network = small_network()
    state = emulator.init(jax.random.key(0), network)
    before = leaves(state.params)
    shapes = jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), state)
    state, history = jdgnn.run(emulator, state, network, 7)
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), state) == shapes
    assert all(np.isfinite(leaf).all() for leaf in leaves(state.params))
    assert any((a != b).any() for a, b in zip(before, leaves(state.params), strict=True))
    assert history.stepped[-1].max() > 0

    compiled = num_programs()
    jdgnn.run(emulator, state, network, 12, record_every=5)
    assert num_programs() == compiled


def test_cutting_and_recording_change_no_bit(emulator: jdgnn.Emulator) -> None:
    network = small_network()
    whole, _ = jdgnn.run(emulator, emulator.init(jax.random.key(3), network), network, 11, record_every=1)
    state = emulator.init(jax.random.key(3), network)
    for ticks in (1, 6, 4):
        state, _ = jdgnn.run(emulator, state, network, ticks, record_every=100)
    assert_same_bits(whole, state)


def test_relabelling_nodes_and_events_commutes_with_a_tick(emulator: jdgnn.Emulator) -> None:
    with jax.enable_x64():
        network = small_network()
        network = replace(network, features=network.features.astype(np.float64))
        arrays = (topology(network), jnp.asarray(network.features))
        state = emulator.init(jax.random.key(0), network)
        for _ in range(4):
            events = compiled_sample(emulator, arrays[0], state.key, state.tick)
            before, state = state, compiled_apply(emulator, *arrays, state, events)

        relabel = Relabelling(network, np.random.default_rng(0).permutation(network.num_nodes))
        arrays = (topology(relabel.network), jnp.asarray(relabel.network.features))
        relabelled = compiled_apply(emulator, *arrays, relabel.state(before), relabel.events(events))
        expected = relabel.state(state)
    for name in ("params", "opt_state", "embeddings", "samples", "age", "wakes", "num_steps", "num_idle", "in_flight"):
        for a, b in zip(leaves(getattr(expected, name)), leaves(getattr(relabelled, name)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


class Relabelling:
    """Old node v becomes node `new[v]`."""

    def __init__(self, network: jdgnn.Network, new: np.ndarray) -> None:
        self.new, self.old = new, np.argsort(new)
        senders, receivers = new[network.senders], new[network.receivers]
        self.old_edge = np.lexsort((senders, receivers))
        self.network = replace(
            network,
            features=network.features[self.old],
            senders=senders[self.old_edge].astype(np.int32),
            receivers=receivers[self.old_edge].astype(np.int32),
        )

    def rows(self, tree: Any) -> Any:
        return jax.tree.map(lambda leaf: leaf[self.old], tree)

    def nodes(self, dst: jax.Array) -> jax.Array:
        names = jnp.asarray(np.append(self.new, len(self.new)).astype(np.int32))
        return names[self.rows(dst)]

    def state(self, state: jdgnn.State) -> jdgnn.State:
        flight = self.rows(state.in_flight)
        per_node = ("params", "opt_state", "embeddings", "is_published", "samples", "age", "wakes", "num_steps")
        return replace(
            state,
            **{name: self.rows(getattr(state, name)) for name in per_node},
            in_flight=replace(
                flight, push_dst=self.nodes(state.in_flight.push_dst), model_dst=self.nodes(state.in_flight.model_dst)
            ),
        )

    def events(self, events: Any) -> Any:
        num_edges = len(self.old_edge)
        new_edge = np.append(np.argsort(self.old_edge), num_edges).astype(np.int32)
        return replace(
            self.rows(events),
            push_dst=self.nodes(events.push_dst),
            model_dst=self.nodes(events.model_dst),
            positives=jnp.asarray(new_edge)[self.rows(events.positives)],
        )
