"""Peers and positives: what is drawn, and that it is drawn evenly (fixed seeds; bounds are five standard errors)."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jdgnn.network.network import Network, from_edges
from jdgnn.network.topology import topology
from jdgnn.protocol.events import choose_in_edges, sample_events
from jdgnn.protocol.peers import PEERS, matching, uniform
from jdgnn.protocol.traffic import gossip, push
from tests.support import all_joined

CHI_SQUARE_LEVEL = 1e-6  # one-sided level of a five-sigma test


def star(num_leaves: int) -> Network:
    """Every leaf sends to node 0."""
    return from_edges(np.arange(1, num_leaves + 1), np.zeros(num_leaves, int), np.ones((num_leaves + 1, 1)))


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("num_nodes", [1, 2, 5, 8])
@pytest.mark.parametrize("num_slots", [0, 1, 3])
def test_peers_are_other_nodes_or_nobody(name: str, num_nodes: int, num_slots: int) -> None:
    links = topology(from_edges([], [], np.ones((num_nodes, 1)), allow_no_edges=True))
    dst = np.asarray(PEERS[name]().sample(jax.random.key(1), links, all_joined(links), num_slots))
    assert dst.shape == (num_nodes, num_slots)
    assert dst.dtype == np.int32
    assert ((dst >= 0) & (dst <= num_nodes)).all()
    assert (dst != np.arange(num_nodes)[:, None]).all()
    if num_nodes == 1:
        assert (dst == 1).all()


def test_uniform_peers_are_uniform() -> None:
    num_nodes, num_slots = 7, 4000
    links = topology(star(num_nodes - 1))
    dst = np.asarray(uniform().sample(jax.random.key(0), links, all_joined(links), num_slots))
    for node in range(num_nodes):
        counts = np.delete(np.bincount(dst[node], minlength=num_nodes), node)
        assert stats.chisquare(counts).pvalue > CHI_SQUARE_LEVEL


def test_uniform_peers_are_among_those_who_joined() -> None:
    joined = np.array([False, True, True, False, True, False, True])
    links = topology(star(6))
    dst = np.asarray(uniform().sample(jax.random.key(0), links, jnp.asarray(joined), 3000))
    for node in range(7):
        others = np.flatnonzero(joined & (np.arange(7) != node))
        counts = np.bincount(dst[node], minlength=8)
        assert counts[others].sum() == 3000
        assert stats.chisquare(counts[others]).pvalue > CHI_SQUARE_LEVEL
    alone = jnp.zeros(7, bool).at[2].set(True)
    dst = np.asarray(uniform().sample(jax.random.key(0), links, alone, 4))
    assert (dst[2] == 7).all()
    assert (np.delete(dst, 2, axis=0) == 2).all()


@pytest.mark.parametrize("num_nodes", [2, 5, 6])
def test_matching_pairs_everyone_it_can(num_nodes: int) -> None:
    links = topology(star(num_nodes - 1))
    dst = np.asarray(matching().sample(jax.random.key(0), links, all_joined(links), 300))
    for slot in range(300):
        paired = np.flatnonzero(dst[:, slot] < num_nodes)
        assert len(paired) == num_nodes // 2 * 2
        assert (dst[dst[paired, slot], slot] == paired).all()
    counts = np.bincount(dst[0][dst[0] < num_nodes], minlength=num_nodes)[1:]
    assert num_nodes == 2 or stats.chisquare(counts).pvalue > CHI_SQUARE_LEVEL


def test_all_in_edges_are_chosen_where_there_are_no_more_than_asked() -> None:
    links = topology(star(3))
    chosen = np.asarray(choose_in_edges(jax.random.key(0), links, 5))
    assert chosen[0].tolist() == [0, 1, 2, 3, 3]
    assert (chosen[1:] == 3).all()


def test_positives_are_chosen_without_replacement_and_every_set_alike() -> None:
    links = topology(star(5))
    draws = jax.vmap(lambda key: choose_in_edges(key, links, 2)[0])(jax.random.split(jax.random.key(0), 5000))
    sets = np.sort(np.asarray(draws), axis=1)
    assert (sets[:, 0] < sets[:, 1]).all()
    counts = np.unique(sets, axis=0, return_counts=True)[1]
    assert len(counts) == 10
    assert stats.chisquare(counts).pvalue > CHI_SQUARE_LEVEL


def test_the_same_key_gives_the_same_events_and_another_key_others() -> None:
    links = topology(star(20))

    def draw(seed: int) -> list[np.ndarray]:
        events = sample_events(jax.random.key(seed), links, push(fanout=2), gossip(), 4, 2)
        events = replace(events, keys=jax.random.key_data(events.keys))
        return [np.asarray(leaf) for leaf in jax.tree.leaves(events)]

    for first, again, other in zip(draw(0), draw(0), draw(1), strict=True):
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()


def test_without_push_and_gossip_nobody_is_picked() -> None:
    events = sample_events(jax.random.key(0), topology(star(3)), None, None, 2, 1)
    assert events.push_dst.shape == (4, 0)
    assert events.model_dst.shape == (4, 0)
    assert jnp.issubdtype(events.keys.dtype, jax.dtypes.prng_key)
