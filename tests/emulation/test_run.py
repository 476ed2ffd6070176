"""Runs as a user sees them: history, accounts, refresh, keys, bad input."""

import gc
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jdgnn
from tests.support import (
    assert_accounts_add_up,
    assert_same_bits,
    leaves,
    num_in_flight,
    small_emulator,
    small_network,
)

anything: Any = jdgnn  # for arguments whose types are wrong on purpose


@pytest.fixture(scope="module")
def network() -> jdgnn.Network:
    return small_network()


def test_a_network_that_nobody_has_joined_yet_has_not_diverged(network: jdgnn.Network) -> None:
    late = jdgnn.availability(presence=jdgnn.presence.late_joining(1.0, 4, 8))
    emulator = small_emulator(availability=late)
    _, history = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 12, record_every=1)
    assert np.isnan(history.norm_ratio[:4]).all()
    assert history.tick_diverged is None
    assert history.rows()[0]["norm_ratio"] is None


@pytest.mark.parametrize("ticks", [1, 2, 9])
def test_every_message_is_accounted_for(network: jdgnn.Network, ticks: int) -> None:
    schedule = jdgnn.schedules.every(2, phase=1)
    emulator = small_emulator(push=jdgnn.push(fanout=3, capacity=2), gossip=jdgnn.gossip(schedule=schedule))
    state, history = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, ticks)
    assert_accounts_add_up(state, network)
    row = history.rows()[-1]
    assert row["messages_in_flight"] == num_in_flight(state, network)
    assert row["messages_sent"] == {
        "embedding": ticks * network.num_edges,
        "push": ticks * 3 * network.num_nodes,
        "model": ticks // 2 * network.num_nodes,
    }
    num_embedding_bytes = 4 * (4 + 3)
    num_params = (5 * 4 + 4) + (4 * 3 * 2 + 3)
    assert row["bytes_sent"]["push"] == row["messages_sent"]["push"] * num_embedding_bytes
    assert row["bytes_sent"]["model"] == row["messages_sent"]["model"] * (4 * num_params + 4)


def test_what_the_first_ticks_do(network: jdgnn.Network) -> None:
    emulator = small_emulator()
    start = emulator.init(jax.random.key(0), network)
    assert start.embedded_at.tolist() == [-1] * network.num_nodes
    assert not emulator.embeddings(start).any()
    first, history = jdgnn.run(emulator, jdgnn.copy(start), network, 1)
    assert_same_bits(first.params, start.params)  # nothing has arrived, so there is nothing to learn from
    assert_same_bits(first.opt_state, start.opt_state)
    assert history.rows()[-1]["loss"] == [None, None]
    assert history.rows()[-1]["num_idle"] == [network.num_nodes] * 2
    assert first.embedded_at.tolist() == [0] * network.num_nodes
    assert first.age.tolist() == [0] * network.num_nodes
    second, history = jdgnn.run(emulator, first, network, 1)
    assert 0 < history.stepped[-1, 0] < 1  # the isolated node has no positives, and never steps
    assert second.wakes.tolist() == [2] * network.num_nodes
    assert int(second.num_steps[-1].sum()) == 0


def test_history_has_the_recorded_ticks(network: jdgnn.Network) -> None:
    emulator = small_emulator()
    seen: list[jdgnn.Progress] = []
    state = emulator.init(jax.random.key(0), network)
    state, history = jdgnn.run(emulator, state, network, 25, record_every=10, on_progress=seen.append)
    assert history.tick.tolist() == [10, 20, 25]
    assert [row["tick"] for progress in seen for row in progress.rows] == [10, 20, 25]
    assert seen[-1].tick == seen[-1].end_tick == 25
    state, history = jdgnn.run(emulator, state, network, 40, record_every=10)
    assert history.tick.tolist() == [30, 40, 50, 60, 65]
    assert history.consensus_distance[-1] > 0
    assert "tick 65" in repr(history)


def test_common_start_agrees_and_independent_start_does_not(network: jdgnn.Network) -> None:
    shared = small_emulator().init(jax.random.key(0), network)
    independent = small_emulator(initial="independent").init(jax.random.key(0), network)
    assert float(jdgnn.consensus_distance(shared.params)) < 1e-12
    assert float(jdgnn.consensus_distance(independent.params)) > 1


def test_the_key_decides_everything(network: jdgnn.Network) -> None:
    emulator = small_emulator()

    def outcome(seed: int) -> Any:
        return jdgnn.run(emulator, emulator.init(jax.random.key(seed), network), network, 5)[0]

    assert_same_bits(outcome(0), outcome(0))
    for a, b in zip(leaves(outcome(0).params), leaves(outcome(1).params), strict=True):
        assert (a != b).any()


def test_refresh_settles_embeddings_and_touches_nothing_else(network: jdgnn.Network) -> None:
    emulator = small_emulator()
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 5)
    before = jdgnn.copy(state)
    state = jdgnn.refresh(emulator, state, network, 2)
    np.testing.assert_allclose(emulator.embeddings(state), emulator.encode(state.params, network), atol=1e-6)
    for name in ("params", "opt_state", "age", "wakes", "num_steps"):
        assert_same_bits(getattr(state, name), getattr(before, name))
    assert int(state.tick) == 7
    sent = network.num_edges * 7
    assert state.accounts.total("embedding", "sent") == sent
    assert state.accounts.total("model", "sent") == before.accounts.total("model", "sent")
    assert state.accounts.total("model", "delivered") == before.accounts.total("model", "delivered")
    state, _ = jdgnn.run(emulator, state, network, 1)  # models that waited are merged now
    arrived = state.accounts.total("model", "delivered") + state.accounts.total("model", "evicted")
    assert arrived == before.accounts.total("model", "sent")


def test_memory_does_not_grow_with_ticks(network: jdgnn.Network) -> None:
    emulator = small_emulator()
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 20)

    def live_bytes() -> int:
        gc.collect()
        return sum(array.nbytes for array in jax.live_arrays())

    before = live_bytes()
    state, _ = jdgnn.run(emulator, state, network, 200)
    assert live_bytes() <= before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": []}, "layers: expected"),
        ({"layers": [64]}, "layers: .*got 64"),
        ({"objective": "info_nce"}, "objective: .*got 'info_nce'"),
        ({"objective": [jdgnn.info_nce()] * 3}, "objective: got 3 for 2 layers"),
        ({"optimizer": 0.1}, "optimizer: .*got 0.1"),
        ({"push": True}, "push: .*got True"),
        ({"gossip": 1}, "gossip: .*got 1"),
        ({"publish": jdgnn.link()}, "publish: .*got Link"),
        ({"availability": jdgnn.clocks.bernoulli(0.5)}, "availability: .*got Clock"),
        ({"active_fraction": 0}, "active_fraction: .*got 0"),
        ({"active_fraction": 1.5}, "active_fraction: .*got 1.5"),
        ({"num_positives": 0}, "num_positives: .*got 0"),
        ({"initial": "shaerd"}, "did you mean 'shared'"),
    ],
)
def test_wrong_parts_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(jdgnn.InputError, match=message):
        small_emulator(**changes)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: anything.gcn(0), "units: .*got 0"),
        (lambda: anything.gcn(2.5), "units: .*got 2.5"),
        (lambda: anything.sage(4, activation="rely"), "did you mean 'relu'"),
        (lambda: anything.sage(4, normalize=1), "normalize: .*got 1"),
        (lambda: anything.info_nce(0.0), "temperature: .*got 0.0"),
        (lambda: anything.edge_reconstruction(float("nan")), "scale: .*got nan"),
        (lambda: anything.adam(-1e-2), "learning_rate: .*got -0.01"),
        (lambda: anything.adam(1e-2, b1=1.0), "b1: .*got 1.0"),
        (lambda: anything.momentum(1e-2, decay="0.9"), "decay: .*got '0.9'"),
        (lambda: anything.optimizers.cosine(0), "horizon: .*got 0"),
        (lambda: anything.push(fanout=0), "fanout: .*got 0"),
        (lambda: anything.push(capacity=True), "capacity: .*got True"),
        (lambda: anything.push(schedule=2), "schedule: .*got 2"),
        (lambda: anything.push(link=0.1), "link: .*got 0.1"),
        (lambda: anything.publish(schedule=anything.schedules.token_account()), "schedule: .*one that draws"),
        (lambda: anything.publish(link=anything.links.bernoulli(0.1)), "link: .*got DropModel"),
        (lambda: anything.push(peers="uniform"), "peers: .*got 'uniform'"),
        (lambda: anything.gossip(capacity=0), "capacity: .*got 0"),
        (lambda: anything.gossip(merge="average"), "merge: .*got 'average'"),
        (lambda: anything.gossip(acceptance=0.5), "acceptance: .*got 0.5"),
        (lambda: anything.gossip(order="merge"), "order: got 'merge'"),
        (lambda: anything.gossip(pass_through=True), "pass_through: expected False where every model is accepted"),
        (lambda: anything.gossip(pool=0), "pool: .*got 0"),
        (lambda: anything.availability(0.5), "clock: .*got 0.5"),
        (lambda: jdgnn.publish(expiry=0), "expiry: .*got 0"),
        (lambda: anything.availability(presence=0.5), "presence: .*got 0.5"),
        (lambda: anything.availability(on_receipt=1), "on_receipt: .*got 1"),
        (lambda: anything.from_optax(1e-2), "optimizer: .*got float"),
    ],
)
def test_impossible_numbers_are_named(make: Any, message: str) -> None:
    with pytest.raises(jdgnn.InputError, match=message):
        make()


def test_a_consumed_or_foreign_state_is_refused(network: jdgnn.Network) -> None:
    emulator = small_emulator()
    state = emulator.init(jax.random.key(0), network)
    later, _ = jdgnn.run(emulator, state, network, 1)
    with pytest.raises(jdgnn.InputError, match="state: an earlier run has consumed it"):
        jdgnn.run(emulator, state, network, 1)
    with pytest.raises(jdgnn.InputError, match=r"params: expected .* of 9 nodes .*, got those of 12 nodes"):
        emulator.encode(later.params, small_network(num_nodes=9))
    with pytest.raises(jdgnn.InputError, match=r"on_progress: .*got 'bar'"):
        anything.run(emulator, later, network, 1, on_progress="bar")
    with pytest.raises(jdgnn.InputError, match=r"network: expected the one .* 9 nodes instead of 12"):
        jdgnn.run(emulator, later, small_network(num_nodes=9), 1)
    with pytest.raises(jdgnn.InputError, match="state: expected the arrays of this emulator"):
        jdgnn.run(small_emulator(layers=[jdgnn.gcn(4)]), later, network, 1)
    with pytest.raises(jdgnn.InputError, match=r"ticks: .*got 0"):
        jdgnn.run(emulator, later, network, 0)
    with pytest.raises(jdgnn.InputError, match=r"key: .*got int"):
        anything.Emulator.init(emulator, 0, network)
    with pytest.raises(jdgnn.InputError, match="layer: expected 0 to 1, got 2"):
        emulator.embeddings(later, layer=2)
    with pytest.raises(jdgnn.InputError, match=r"state: expected .*, got dict"):
        anything.run(emulator, {}, network, 1)


def test_attention_can_be_written_as_a_layer(network: jdgnn.Network) -> None:
    """A per-node query weighs what was received; no edge is multiplied by a node's matrix."""

    def attend(own: Any, received: Any, received_mask: Any, links: Any, query: Any) -> jax.Array:
        score = jnp.where(received_mask, jnp.sum(query[links.receivers] * received, axis=1), -jnp.inf)
        top = jax.ops.segment_max(score, links.receivers, links.num_nodes)
        weight = jnp.where(received_mask, jnp.exp(score - jnp.where(jnp.isfinite(top), top, 0)[links.receivers]), 0)
        total = jax.ops.segment_sum(weight, links.receivers, links.num_nodes)
        pulled = jax.ops.segment_sum(weight[:, None] * received, links.receivers, links.num_nodes)
        return own + pulled / jnp.maximum(total, 1e-9)[:, None]

    def init(key: jax.Array, num_features: int, dtype: Any) -> dict[str, jax.Array]:
        key_query, key_kernel = jax.random.split(key)
        return {
            "query": jax.random.normal(key_query, (num_features, num_features), dtype),
            "kernel": jax.random.normal(key_kernel, (num_features, 4), dtype),
        }

    attention = jdgnn.Layer(
        init=init,
        apply=lambda params, own, aggregated: jnp.tanh(aggregated @ params["kernel"]),
        aggregate=attend,
        query=lambda params, own: own @ params["query"],
    )
    emulator = small_emulator(layers=[attention, jdgnn.gcn(3)])
    state = emulator.init(jax.random.key(0), network)
    before = np.asarray(state.params[0]["layer"]["query"])
    state, _ = jdgnn.run(emulator, state, network, 5)
    after = np.asarray(state.params[0]["layer"]["query"])
    assert np.isfinite(after).all()
    assert (after[:-1] != before[:-1]).any(axis=(1, 2)).any()
