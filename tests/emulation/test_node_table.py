"""The figures of each node add up to those of all nodes together."""

import jax
import numpy as np
import pytest

import jdgnn
from jdgnn import clocks, links, presence
from jdgnn.protocol.accounts import KINDS, OUTCOMES
from tests.support import num_in_flight, small_emulator, small_network

NETWORK = small_network()
LATE = jdgnn.link(drop=0.2, delay=links.uniform(0, 3))
HARSH = {
    "publish": jdgnn.publish(link=LATE),
    "push": jdgnn.push(fanout=2, capacity=3, link=LATE),
    "gossip": jdgnn.gossip(capacity=2, link=LATE),
    "availability": jdgnn.availability(clocks.bernoulli(0.5), presence.churn(20, 5)),
}


@pytest.mark.parametrize("settings", [{}, HARSH], ids=["synchronous", "harsh"])
def test_nodes_add_up(settings: dict[str, object]) -> None:
    emulator = small_emulator(**settings)
    state, history = jdgnn.run(emulator, emulator.init(jax.random.key(0), NETWORK), NETWORK, 23)
    table = jdgnn.node_table(state, NETWORK)
    np.testing.assert_array_equal(table["messages"].sum(axis=0), history.messages[-1])
    np.testing.assert_array_equal(table["bytes"].sum(axis=0)[:, OUTCOMES.index("sent")], history.bytes_sent[-1])
    np.testing.assert_array_equal(table["in_flight"].sum(axis=0), history.messages_in_flight[-1])
    assert dict(zip(KINDS, table["in_flight"].sum(axis=0).tolist(), strict=True)) == num_in_flight(state, NETWORK)
    assert table["wakes"].tolist() == state.wakes.tolist()
    assert table["node"].tolist() == list(range(NETWORK.num_nodes))
    assert table["num_steps"].shape == (NETWORK.num_nodes, 2)
    assert np.nanmean(table["distance"]) == pytest.approx(history.consensus_distance[-1], rel=1e-5)


def test_distances_are_those_of_the_history_where_some_have_not_joined() -> None:
    late = jdgnn.availability(presence=jdgnn.presence.late_joining(0.5, 40, 50))
    emulator = small_emulator(availability=late, initial="independent")
    state, history = jdgnn.run(emulator, emulator.init(jax.random.key(0), NETWORK), NETWORK, 9)
    distance = jdgnn.node_table(state, NETWORK)["distance"]
    assert 0 < np.isnan(distance).sum() < NETWORK.num_nodes
    assert np.isnan(distance).tolist() == (state.wakes == 0).tolist()
    assert np.nanmean(distance) == pytest.approx(history.consensus_distance[-1], rel=1e-5)


def test_staleness_is_that_of_the_mailboxes() -> None:
    emulator = small_emulator(**HARSH)
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), NETWORK), NETWORK, 23)
    assert state.mailbox is not None
    version, stale = np.asarray(state.mailbox.version), jdgnn.node_table(state, NETWORK)["staleness"]
    for node in range(NETWORK.num_nodes):
        held = version[(NETWORK.receivers == node) & (version >= 0)]
        assert stale[node] == pytest.approx(np.mean(23 - held)) if len(held) else np.isnan(stale[node])


def test_another_network_is_refused() -> None:
    state = small_emulator().init(jax.random.key(0), NETWORK)
    with pytest.raises(jdgnn.InputError, match=r"network: expected the one .* 5 nodes instead of 12"):
        jdgnn.node_table(state, small_network(5))
