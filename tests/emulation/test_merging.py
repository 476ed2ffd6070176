"""What merging keeps and what it does."""

from itertools import product
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jdgnn
from jdgnn.backend.backend import PLAIN
from jdgnn.emulation import fold
from jdgnn.emulation.context import Tick
from jdgnn.emulation.fold import BLOCK
from jdgnn.emulation.inbox import Inbox, open_inboxes
from jdgnn.emulation.merge import merge
from jdgnn.emulation.spread import consensus_distance
from jdgnn.network.network import from_edges
from jdgnn.network.topology import Topology, topology
from jdgnn.protocol.acceptance import ACCEPTANCES
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.model import Model
from jdgnn.protocol.peers import PEERS
from jdgnn.protocol.transport import FLIGHT, ModelFlight
from tests.protocol.sequential import NUM_NODES as FEW
from tests.protocol.sequential import NUM_SLOTS, Table, message_tables, sequential_arrivals
from tests.seldom import in_turn, mostly_long
from tests.support import all_joined, assert_same_bits, small_emulator, small_network

NUM_NODES = 12


def flight_of(dst: Any, rank: Any = 0, is_lost: Any = False) -> ModelFlight:
    """Models sent in the last tick: receivers [N, R], ranks and losses alike or for all."""
    dst = jnp.asarray(dst, jnp.int32)
    return ModelFlight(
        dst=dst,
        rank=jnp.broadcast_to(jnp.asarray(rank, jnp.uint32), dst.shape),
        is_sent=(dst < dst.shape[0]) & ~jnp.asarray(is_lost),
    )


def tick_of(gossip: jdgnn.Gossip, links: Topology, uniform: Any = None) -> Tick:
    """A tick of nodes that only send models, with coins of acceptance [N, M]."""
    events: Any = SimpleNamespace(accept_uniform=uniform)
    return Tick(small_emulator(gossip=gossip, push=None, objective=jdgnn.vicreg()), links, jnp.zeros(0), events)


def inbox_of(tick: Tick, flight: ModelFlight) -> tuple[Inbox, jax.Array]:
    """What each node merges of what is in flight, and how many models found no room at it."""
    state: Any = SimpleNamespace(models=flight, num_nodes=tick.topology.num_nodes)
    inbox, counts = open_inboxes(tick, state)
    return inbox, counts["model", "evicted"]


def merged(tick: Tick, flight: ModelFlight, params: Any, age: jax.Array) -> Model:
    """Models after merging what is in flight, one by one."""
    assert tick.spec.gossip is not None
    return fold.fold(tick.spec.gossip, inbox_of(tick, flight)[0], Model(params, age), Model(params, age), None)


def merged_in_plain_jax(tick: Tick, flight: ModelFlight, params: Any, age: jax.Array) -> Model:
    """The same as the engine does it, pair by pair where it can."""
    state: Any = SimpleNamespace(
        models=flight, num_nodes=tick.topology.num_nodes, params=(params,), age=age, weight=None
    )
    tick = tick._replace(topology=tick.topology.replace(backend=PLAIN))  # type: ignore[attr-defined]
    found = merge(tick, state, inbox_of(tick, flight)[0], Model((params,), age), None)
    return Model(found.layer(0), found.age)


FOLDING = [name for name, make in MERGES.items() if make().merge is not None]
RULES = [*((name, "degree") for name in FOLDING), ("average", "always")]
SIZES = (2 * BLOCK + 3, 5, 1)
WITH_PAIRS = [name for name in PEERS if PEERS[name]().has_pairs]


@pytest.mark.parametrize(
    ("rule", "peers", "num_nodes"), mostly_long(product(RULES, WITH_PAIRS, SIZES), in_turn(RULES, WITH_PAIRS, SIZES))
)
def test_merging_pair_by_pair_is_merging_the_inbox(rule: tuple[str, str], peers: str, num_nodes: int) -> None:
    """Also where models get lost one way, or one of the two rejects."""
    merge, acceptance = rule
    gossip = jdgnn.gossip(merge=MERGES[merge](), peers=PEERS[peers](), acceptance=ACCEPTANCES[acceptance]())
    rng = np.random.default_rng(num_nodes)
    senders, receivers = rng.integers(0, num_nodes, (2, 3 * num_nodes))
    links = topology(from_edges(senders, receivers, np.ones((num_nodes, 1)), allow_no_edges=True))
    params = {"kernel": jax.random.normal(jax.random.key(0), (num_nodes, 3, 2)), "bias": jnp.arange(num_nodes * 1.0)}
    age = jnp.arange(num_nodes, dtype=jnp.int32)
    dst = gossip.peers.sample(jax.random.key(1), links, all_joined(links), 1)
    flight = flight_of(dst, is_lost=rng.random((num_nodes, 1)) < 0.3)
    tick = tick_of(gossip, links, jnp.asarray(rng.random((num_nodes, 1)), jnp.float32))
    inbox, num_displaced = inbox_of(tick, flight)
    assert not num_displaced.any()
    if num_nodes > BLOCK:
        outcomes = {outcome: bool(mask.any()) for outcome, mask in vars(inbox).items() if outcome.startswith("is_")}
        assert outcomes == {"is_merged": True, "is_rejected": acceptance != "always"}
    pairwise = fold.merge_pairs(gossip, dst[:, 0], inbox.is_merged[:, 0], Model(params, age))
    expected = fold.fold(gossip, inbox, Model(params, age), Model(params, age), None)
    assert_same_bits(pairwise, expected)
    assert_same_bits(merged_in_plain_jax(tick, flight, params, age), expected)


def test_a_sampler_with_pairs_loses_no_message_that_has_none() -> None:
    """As when what other peers were sent is replayed: who sends to whom is not always mutual."""
    gossip = jdgnn.gossip(capacity=2, peers=jdgnn.peers.matching())
    links = topology(small_network())
    params, age = jnp.arange(12.0)[:, None], jnp.arange(12, dtype=jnp.int32)
    flight = flight_of(jnp.asarray([[1], [0], [0], *[[12]] * 9], jnp.int32), is_lost=np.zeros((12, 1), bool))
    tick = tick_of(gossip, links, jnp.zeros((12, 2), jnp.float32))
    merged = merged_in_plain_jax(tick, flight, params, age).params
    assert inbox_of(tick, flight)[0].num_merged[:3].tolist() == [2, 1, 0]
    assert merged[:3, 0].tolist() == [1.25, 0.5, 2.0]


@jax.jit
def one_round(gossip: jdgnn.Gossip, params: jax.Array, age: jax.Array, seed: Any) -> Model:
    links = topology(small_network())
    dst = gossip.peers.sample(jax.random.key(seed), links, all_joined(links), gossip.fanout)
    rank = jax.random.bits(jax.random.key(seed + 1), dst.shape, jnp.uint32)
    return merged(tick_of(gossip, links), flight_of(dst, rank), params, age)


@pytest.mark.parametrize(("merge", "peers"), mostly_long(product(FOLDING, PEERS), in_turn(FOLDING, PEERS)))
def test_merging_equal_models_changes_nothing(merge: str, peers: str) -> None:
    params = jnp.broadcast_to(jax.random.normal(jax.random.key(0), (3, 2)), (NUM_NODES, 3, 2))
    age = jnp.full(NUM_NODES, 7, jnp.int32)
    fanout = NUM_NODES - 1 if peers == "all_to_all" else 1
    gossip = jdgnn.gossip(capacity=3, fanout=fanout, merge=MERGES[merge](), peers=PEERS[peers]())
    assert_same_bits(one_round(gossip, params, age, seed=1), Model(params, age))


def test_averaging_pairs_keeps_the_mean_and_halves_what_divides() -> None:
    gossip = jdgnn.gossip(peers=jdgnn.peers.matching())
    with jax.enable_x64():
        params = jax.random.normal(jax.random.key(0), (NUM_NODES, 40), jnp.float64)
        mean, distance = params.mean(0), float(consensus_distance(params))
        distances = []
        for seed in range(60):
            after = one_round(gossip, params, jnp.zeros(NUM_NODES, jnp.int32), seed).params
            np.testing.assert_allclose(after.mean(0), mean, atol=1e-12)
            distances.append(float(consensus_distance(after)))
    # a uniform partner: of the variance 1/2 · (1 − 1/(N−1)) is left in expectation, with sd below 0.2 a round
    expected = 0.5 * (1 - 1 / (NUM_NODES - 1))
    assert abs(np.mean(distances) / distance - expected) < 5 * 0.2 / np.sqrt(60)


THREE = topology(from_edges([], [], np.ones((3, 1)), allow_no_edges=True))


def test_the_inbox_is_folded_oldest_first() -> None:
    params, age = jnp.array([[0.0], [8.0], [16.0]]), jnp.array([1, 5, 3], jnp.int32)
    for rank, expected in (([0, 1, 2], 0.5 * (0.5 * 8 + 16)), ([0, 2, 1], 0.5 * (0.5 * 16 + 8))):
        flight = flight_of([[3], [0], [0]], np.array(rank)[:, None])
        after, after_age, _ = merged(tick_of(jdgnn.gossip(capacity=2), THREE), flight, params, age)
        assert after.tolist() == [[expected], [8.0], [16.0]]
        assert after_age.tolist() == [5, 5, 3]


def test_a_full_inbox_keeps_the_newest() -> None:
    params = jnp.array([[0.0], [8.0], [16.0]])
    flight = flight_of([[3], [0], [0]], [[0], [2], [1]])
    after = merged(tick_of(jdgnn.gossip(capacity=1), THREE), flight, params, jnp.zeros(3, jnp.int32)).params
    assert after.tolist() == [[4.0], [8.0], [16.0]]


def test_the_mean_counts_what_was_merged_and_not_what_was_refused() -> None:
    """Node 3 has three in-neighbours and so rejects half of what nodes with less send it, by the coin of the place."""
    links = topology(from_edges([0, 1, 2, 3, 3, 3, 4, 4], [3, 3, 3, 0, 1, 2, 0, 1], np.ones((5, 1))))
    assert links.in_degree.tolist() == [2, 2, 1, 3, 0]
    gossip = jdgnn.gossip(capacity=3, merge=jdgnn.merging.uniform_mean(), acceptance=jdgnn.acceptance.degree())
    flight = flight_of([[3], [3], [3], [5], [5]], np.arange(5)[:, None])
    params = jnp.array([[9.0], [1.0], [6.0], [3.0], [0.0]])
    uniform = jnp.zeros((5, 3), jnp.float32).at[3].set(jnp.array([0.7, 0.6, 0.3], jnp.float32))
    after, age, _ = merged(tick_of(gossip, links, uniform), flight, params, jnp.arange(5, dtype=jnp.int32))
    np.testing.assert_allclose(after[3], (3 + 1 + 6) / 3, rtol=1e-6)
    assert age.tolist() == [0, 1, 2, 3, 4]


compiled_inbox = jax.jit(lambda gossip, links, flight: FLIGHT.inbox(links.backend, gossip, flight, None))
compiled_hold = jax.jit(lambda gossip, links, flight: FLIGHT.hold(links.backend, gossip, flight))


@given(message_tables(), st.integers(1, 4))
def test_inbox_keeps_the_newest_in_order(table: Table, capacity: int) -> None:
    """At once, or after a refreshing tick in which nothing was merged."""
    gossip = jdgnn.gossip(capacity=capacity)
    links = topology(from_edges([], [], np.ones((FEW, 1)), allow_no_edges=True))
    flight = flight_of(*(column.reshape(FEW, NUM_SLOTS) for column in table))
    waiting, evicted = compiled_inbox(gossip, links, flight)
    num_displaced = evicted["model", "evicted"]
    expected = [[number // NUM_SLOTS for number in numbers] for numbers in sequential_arrivals(*table)]
    for node in range(FEW):
        assert np.asarray(waiting.src)[node][np.asarray(waiting.is_there)[node]].tolist() == expected[node][-capacity:]
        assert int(num_displaced[node]) == max(len(expected[node]) - capacity, 0)
    rest, displaced_before = compiled_hold(gossip, links, flight)
    later, none_displaced = compiled_inbox(gossip, links, rest)
    assert_same_bits((later, displaced_before["model", "evicted"]), (waiting, num_displaced))
    assert not none_displaced["model", "evicted"].any()


def test_only_pairs_that_sent_to_each_other_are_merged() -> None:
    left, right = fold.pairs_of(jnp.array([1, 5, 3, 2, 5], jnp.int32))
    assert left.tolist() == [2, 5]
    assert right.tolist() == [3, 5]
