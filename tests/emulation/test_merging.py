"""What merging keeps and what it does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jdgnn
from jdgnn.emulation.merging import BLOCK, merge_inbox, merge_pairs
from jdgnn.emulation.metrics import consensus_distance
from jdgnn.network.network import from_edges
from jdgnn.network.topology import topology
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.messages import arrivals
from jdgnn.protocol.peers import PEERS
from tests.support import all_joined, assert_same_bits, small_network

NUM_NODES = 12


@pytest.mark.parametrize("merge", MERGES)
@pytest.mark.parametrize("peers", [name for name in PEERS if PEERS[name]().pairs is not None])
@pytest.mark.parametrize("num_nodes", [1, 2, 5, 2 * BLOCK, 2 * BLOCK + 3])
def test_merging_pair_by_pair_is_merging_the_inbox(merge: str, peers: str, num_nodes: int) -> None:
    setting = jdgnn.gossip(merge=MERGES[merge](), peers=PEERS[peers]())
    links = topology(from_edges([], [], np.ones((num_nodes, 1)), allow_no_edges=True))
    params = {"kernel": jax.random.normal(jax.random.key(0), (num_nodes, 3, 2)), "bias": jnp.arange(num_nodes * 1.0)}
    age = jnp.arange(num_nodes, dtype=jnp.int32)
    dst = setting.peers.sample(jax.random.key(1), links, all_joined(links), 1)
    expected = merge_inbox(setting, arrivals(dst, jnp.zeros(dst.shape, jnp.uint32)), params, age)
    assert_same_bits(merge_pairs(setting, dst[:, 0], params, age), expected)


def one_round(setting: jdgnn.Gossip, params: jax.Array, age: jax.Array, seed: int) -> tuple[jax.Array, jax.Array]:
    links = topology(small_network())
    dst = setting.peers.sample(jax.random.key(seed), links, all_joined(links), 1)
    rank = jax.random.bits(jax.random.key(seed + 1), dst.shape, jnp.uint32)
    return merge_inbox(setting, arrivals(dst, rank), params, age)


@pytest.mark.parametrize("merge", MERGES)
@pytest.mark.parametrize("peers", PEERS)
def test_merging_equal_models_changes_nothing(merge: str, peers: str) -> None:
    params = jnp.broadcast_to(jax.random.normal(jax.random.key(0), (3, 2)), (NUM_NODES, 3, 2))
    age = jnp.full(NUM_NODES, 7, jnp.int32)
    setting = jdgnn.gossip(capacity=3, merge=MERGES[merge](), peers=PEERS[peers]())
    assert_same_bits(one_round(setting, params, age, seed=1), (params, age))


def test_averaging_pairs_keeps_the_mean_and_halves_what_divides() -> None:
    setting = jdgnn.gossip(peers=jdgnn.peers.matching())
    with jax.enable_x64():
        params = jax.random.normal(jax.random.key(0), (NUM_NODES, 40), jnp.float64)
        mean, distance = params.mean(0), float(consensus_distance(params))
        distances = []
        for seed in range(60):
            merged, _ = one_round(setting, params, jnp.zeros(NUM_NODES, jnp.int32), seed)
            np.testing.assert_allclose(merged.mean(0), mean, atol=1e-12)
            distances.append(float(consensus_distance(merged)))
    # a uniform partner: of the variance 1/2 · (1 − 1/(N−1)) is left in expectation, with sd below 0.2 a round
    expected = 0.5 * (1 - 1 / (NUM_NODES - 1))
    assert abs(np.mean(distances) / distance - expected) < 5 * 0.2 / np.sqrt(60)


def test_the_inbox_is_folded_oldest_first() -> None:
    params = jnp.array([[0.0], [8.0], [16.0]])
    dst = jnp.array([[3], [0], [0]], jnp.int32)
    for rank, expected in (([0, 1, 2], 0.5 * (0.5 * 8 + 16)), ([0, 2, 1], 0.5 * (0.5 * 16 + 8))):
        messages = arrivals(dst, jnp.array(rank, jnp.uint32)[:, None])
        merged, age = merge_inbox(jdgnn.gossip(capacity=2), messages, params, jnp.array([1, 5, 3], jnp.int32))
        assert merged.tolist() == [[expected], [8.0], [16.0]]
        assert age.tolist() == [5, 5, 3]


def test_a_full_inbox_keeps_the_newest() -> None:
    params = jnp.array([[0.0], [8.0], [16.0]])
    messages = arrivals(jnp.array([[3], [0], [0]], jnp.int32), jnp.array([[0], [2], [1]], jnp.uint32))
    merged, _ = merge_inbox(jdgnn.gossip(capacity=1), messages, params, jnp.zeros(3, jnp.int32))
    assert merged.tolist() == [[4.0], [8.0], [16.0]]


def test_only_pairs_that_sent_to_each_other_are_merged() -> None:
    left, right = jdgnn.peers.matching().pairs(jnp.array([1, 5, 3, 2, 5], jnp.int32))  # type: ignore[misc]
    assert left.tolist() == [2, 5]
    assert right.tolist() == [3, 5]
