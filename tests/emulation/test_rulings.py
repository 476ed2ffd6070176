"""The rulings of `docs/design.md` in which an engine and a second reader could differ: by hand, and engine = oracle."""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jdgnn
from jdgnn import clocks, generators, merging
from jdgnn.emulation.metrics import mean_where, staleness
from jdgnn.emulation.start import message_bytes, sample_events
from jdgnn.emulation.tick import apply_events, refresh_tick
from jdgnn.network.network import Network, from_edges
from jdgnn.network.topology import topology
from jdgnn.protocol.accounts import OUTCOMES, whole
from jdgnn.protocol.transport import ModelPool
from jdgnn.reference import debug_run
from jdgnn.reference.one_layer import PLAIN
from jdgnn.reference.oracle import Oracle
from jdgnn.reference.rules import Rules, unchecked
from tests.emulation.comparing import assert_same_state
from tests.reference import parts, twins
from tests.support import small_emulator, small_network

NOBODY, ALL_ASLEEP = 3, [False, False, False]


@pytest.fixture(scope="module", autouse=True)
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def three_nodes() -> Network:
    return from_edges([0, 1], [1, 2], np.random.default_rng(0).normal(size=(3, 2)))


def sleepy(wake_prob: float = 0.05) -> jdgnn.Emulator:
    return jdgnn.Emulator(
        layers=[jdgnn.gcn(2)],
        objective=jdgnn.objectives.edge_reconstruction(),
        optimizer=jdgnn.sgd(0.1),
        push=None,
        gossip=jdgnn.gossip(capacity=2),
        availability=jdgnn.availability(clocks.bernoulli(wake_prob), on_receipt=True),
    )


def test_a_model_wakes_its_receiver_only_in_the_tick_in_which_it_entered() -> None:
    emulator, network = sleepy(), three_nodes()
    links, features = topology(network), jnp.asarray(network.features)
    state = emulator.init(jax.random.key(0), network)
    twin = parts.with_twins(emulator, ("gcn",), merge=parts.merge_rule("average"), schedule=parts.every())
    oracle = Oracle(twin, links, features, state.params, state.opt_state)
    host = [True, False, False]
    told = []
    for is_refresh, wake, dst in (
        (False, host, [[1], [NOBODY], [NOBODY]]),
        (True, ALL_ASLEEP, [[NOBODY]] * 3),  # the model enters the inbox of node 1, which is active,
        (True, ALL_ASLEEP, [[NOBODY]] * 3),  # and wakes it no more
        (False, ALL_ASLEEP, [[NOBODY]] * 3),
        (False, [False, False, True], [[NOBODY], [NOBODY], [1]]),
        (False, ALL_ASLEEP, [[NOBODY]] * 3),  # another one does, and both are merged
    ):
        sizes = message_bytes(state)
        _, drawn = sample_events(emulator, links, sizes, state.key, state.tick, state.availability)
        events = replace(drawn, wake=jnp.array(wake), model_dst=jnp.array(dst, jnp.int32))
        if is_refresh:
            state = refresh_tick(emulator, links, features, state, events)
            oracle.refresh(events)
        else:
            state, _ = apply_events(emulator, links, features, state, events)
            oracle.tick(events)
        assert_same_state(oracle, state)
        assert isinstance(state.models, ModelPool)
        num_waiting = int((state.models.inbox[1] < state.models.num_places).sum())
        told.append((state.embedded_at.tolist(), state.wakes.tolist(), num_waiting))
    assert told == [
        ([0, -1, -1], [1, 0, 0], 0),
        ([0, 1, -1], [1, 0, 0], 1),
        ([0, 1, -1], [1, 0, 0], 1),
        ([0, 1, -1], [1, 0, 0], 1),
        ([0, 1, 4], [1, 0, 1], 1),
        ([0, 5, 4], [1, 1, 1], 0),
    ]
    assert whole(state.accounts.words)[1, 2, OUTCOMES.index("delivered")] == 2


@pytest.mark.long
def test_the_debug_back_end_lets_models_of_a_refresh_wait_as_well() -> None:
    emulator, network = sleepy(0.3), small_network()
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(3), network), network, 4)
    state = jdgnn.refresh(emulator, state, network, 3)
    assert isinstance(state.models, ModelPool)
    is_waiting = np.asarray(state.models.inbox[:, 0] < state.models.num_places)
    slow, wakes = debug_run(emulator, state, network, 1)
    fast, _ = jdgnn.run(emulator, jdgnn.copy(state), network, 1)
    assert_array_equal(slow.wakes, fast.wakes)
    assert (is_waiting & (np.asarray(fast.wakes) == np.asarray(state.wakes))).any()  # some go on waiting
    assert len(wakes) == int((fast.wakes - state.wakes).sum())


@pytest.mark.parametrize(("capacity", "reserve"), [(20, 10), (7, 3), (5, 5), (4, 1)])
def test_a_token_account_rounds_up_iff_the_uniform_is_below_the_fraction(capacity: int, reserve: int) -> None:
    schedule, twin = jdgnn.schedules.token_account(capacity, reserve), parts.token_account(capacity, reserve)
    for balance in range(capacity + 1):
        asked = np.float32(max(0, balance - reserve + 1)) / np.float32(capacity - reserve + 1)
        fraction = np.float32(balance % reserve) / np.float32(reserve)
        for first, second in ((asked, np.float32(0.999)), (np.float32(0.999), fraction)):
            for side in (0.0, 2.0):
                below = [max(0, np.nextafter(one, np.float32(side - 1))) for one in (first, second)]
                uniforms = np.array([below[0], 0.999, below[1]], np.float32)  # of two models, the second may be rounded
                expected = int(uniforms[0] < asked) + 2 * (balance // reserve) + int(uniforms[2] < fraction)
                expected = min(expected + int(uniforms[1] < fraction), balance + 1)
                assert int(schedule.decide(balance, 0, 2, jnp.asarray(uniforms), 9)) == expected
                assert twin.decide(balance, 0, 2, uniforms, 9) == expected


@pytest.mark.parametrize(
    ("pool", "num_nodes", "places"),
    [(0.25, 10, 3), (0.01, 10, 1), (1.1, 10, 11), (0.3, 10, 3), (1.0, 7, 7), (2 / 3, 3, 2), (0.5, 3, 2), (1e-12, 5, 1)],
)
def test_a_pool_has_as_many_places_as_the_ceiling_says(pool: float, num_nodes: int, places: int) -> None:
    gossip = jdgnn.gossip(pool=pool, link=jdgnn.link(delay=1))
    assert gossip.num_places(num_nodes) == places
    links: Any = SimpleNamespace(num_nodes=num_nodes)
    assert Rules(small_emulator(gossip=gossip), links, PLAIN, unchecked).num_places == places


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_variance_correction_blows_up_no_rounding_error(dtype: Any) -> None:
    rule, twin = merging.variance_corrected().merge, twins.merge_rule("average", 0, True)
    assert rule is not None
    limit = 64 * np.finfo(dtype).eps
    one, tiny, least = np.array([3, 4], dtype), np.array([limit / 2, 0], dtype), np.array([2 * limit, 0], dtype) * 5
    for own, received, is_corrected in ((one, tiny, False), (tiny, one, False), (one, least, True), (least, one, True)):
        plain = (own + received) / 2
        norms = [np.linalg.norm(leaf) for leaf in (own, received, plain)]
        expected = plain * (norms[0] + norms[1]) / 2 / norms[2] if is_corrected else plain
        for merged, _ in (rule(own, 0, received, 0, 0), twin(own, 0, received, 0, 0)):
            assert_allclose(merged, expected, rtol=4 * np.finfo(dtype).eps)
    nearly_opposite = -one * dtype(1 + limit / 4)  # the merged one is what rounding left over
    for merged, _ in (rule(one, 0, nearly_opposite, 0, 0), twin(one, 0, nearly_opposite, 0, 0)):
        assert np.linalg.norm(merged) < 5 * limit


def test_the_staleness_of_a_record_is_the_mean_of_the_means_of_nodes() -> None:
    network = from_edges([1, 2, 0], [0, 0, 1], np.eye(3))
    mailbox = SimpleNamespace(version=jnp.array([4, 0, 4], jnp.int32))  # over 1→0, 2→0 and 0→1, used in tick 5
    info: Any = SimpleNamespace(loss=jnp.zeros((3, 1)), active=jnp.ones(3, bool), oldest=None)
    state: Any = SimpleNamespace(mailbox=mailbox, tick=jnp.int32(6))
    stale, is_using = staleness(topology(network), state, info)
    assert (stale.tolist(), is_using.tolist()) == ([3, 1, 0], [True, True, False])
    assert float(mean_where(is_using, stale)) == 2  # and not (1 + 5 + 1) / 3
    info.oldest = jnp.int32(1)
    assert staleness(topology(network), state, info)[0].tolist() == [1, 1, 0]  # what was sent in tick 0 has expired


def test_a_copied_state_draws_the_same_events(tmp_path: Path) -> None:
    network, emulator = small_network(), sleepy(0.5)
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 3)
    for name in ("first", "second"):
        jdgnn.run(emulator, jdgnn.copy(state), network, 5, record=tmp_path / name)
    records = [zipfile.ZipFile(tmp_path / name) for name in ("first", "second")]
    contents = [{name: record.read(name) for name in record.namelist()} for record in records]
    assert contents[0] == contents[1]
    assert any(name.endswith("wake.npy") for name in contents[0])


def test_models_that_arrive_in_a_synchronous_refresh_show_as_in_flight() -> None:
    network = generators.ring(6)
    emulator = small_emulator(gossip=jdgnn.gossip(peers=jdgnn.peers.permutation()))
    state, history = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 2)
    assert history.messages_in_flight[-1].tolist() == [12, 12, 6]
    state = jdgnn.refresh(emulator, state, network, 3)
    assert jdgnn.node_table(state, network)["in_flight"][:, 2].tolist() == [1] * 6
    state, history = jdgnn.run(emulator, state, network, 1)  # merges them, and sends others
    delivered = history.messages[-1, 2, OUTCOMES.index("delivered")]
    assert (delivered, history.messages_in_flight[-1, 2]) == (12, 6)
