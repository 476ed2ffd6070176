"""Who gets a message: sampler by sampler, what is drawn, and that it is drawn evenly."""

from itertools import pairwise, product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from jdgnn.errors import InputError
from jdgnn.network.network import from_edges
from jdgnn.network.topology import Topology, topology
from jdgnn.parts import as_argument
from jdgnn.protocol.events import destinations
from jdgnn.protocol.peers import PEERS, all_to_all, graph_neighbours, in_pairs, matching, permutation, rotation, uniform
from jdgnn.protocol.traffic import push
from tests.protocol.part_support import CHI_SQUARE_LEVEL, assert_same_key_same_bits, drawn
from tests.seldom import mostly_long
from tests.support import all_joined, small_network


def isolated(num_nodes: int) -> Topology:
    return topology(from_edges([], [], np.ones((num_nodes, 1)), allow_no_edges=True))


LINKS = {"1": isolated(1), "2": isolated(2), "5": isolated(5), "linked": topology(small_network())}


def draw(name: str, links: Topology, num_slots: int, seed: int = 0) -> NDArray[np.int32]:
    def sample(part: jax.Array, key: jax.Array, links: Topology) -> jax.Array:
        return part.sample(key, links, all_joined(links), num_slots)  # type: ignore[attr-defined]

    dst = np.asarray(drawn(sample, as_argument(PEERS[name]()), jax.random.key(seed), links))
    assert dst.dtype == np.int32
    assert dst.shape == (links.num_nodes, num_slots)
    return dst


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize(
    ("size", "num_slots"), mostly_long(product(LINKS, (0, 1, 3)), [("1", 1), ("2", 3), ("5", 0), ("linked", 3)])
)
def test_samplers_give_other_nodes_or_no_recipient_in_both_precisions(name: str, size: str, num_slots: int) -> None:
    links = LINKS[size]
    num_nodes = links.num_nodes
    dst = draw(name, links, num_nodes - 1 if name == "all_to_all" else num_slots)
    assert ((dst >= 0) & (dst <= num_nodes)).all()
    assert (dst != np.arange(num_nodes)[:, None]).all()
    if num_nodes == 1 or (name == "graph_neighbours" and links.num_edges == 0):
        assert (dst == num_nodes).all()


@pytest.mark.parametrize("name", sorted(set(PEERS) - {"all_to_all"}))
def test_the_key_decides(name: str) -> None:
    links = topology(small_network())
    assert_same_key_same_bits(lambda key: PEERS[name]().sample(key, links, all_joined(links), 3))


def test_uniform_peers_are_uniform() -> None:
    num_nodes, num_slots = 7, 4000
    links = isolated(num_nodes)
    dst = np.asarray(uniform().sample(jax.random.key(0), links, all_joined(links), num_slots))
    for node in range(num_nodes):
        counts = np.delete(np.bincount(dst[node], minlength=num_nodes), node)
        assert stats.chisquare(counts).pvalue > CHI_SQUARE_LEVEL


def test_graph_neighbours_are_those_to_whom_the_link_is_up() -> None:
    links = topology(small_network())
    up = jax.random.bernoulli(jax.random.key(1), 0.4, (links.num_edges,))
    dst = np.asarray(graph_neighbours().sample(jax.random.key(0), links, all_joined(links), 3000, link_up=up))
    senders, receivers = (np.asarray(ends)[np.asarray(up)] for ends in (links.senders, links.receivers))
    for node in range(links.num_nodes):
        open_to = receivers[senders == node]
        counts = np.bincount(dst[node], minlength=links.num_nodes + 1)
        assert counts[open_to].sum() == (3000 if len(open_to) else 0)
        assert len(open_to) < 2 or stats.chisquare(counts[open_to]).pvalue > CHI_SQUARE_LEVEL
    assert (np.bincount(senders, minlength=links.num_nodes) == 0).any()  # who sends to nobody
    everywhere, as_ever = (
        graph_neighbours().sample(jax.random.key(0), links, all_joined(links), 5, link_up=mask)
        for mask in (jnp.ones_like(up), None)
    )
    np.testing.assert_array_equal(everywhere, as_ever)


def test_who_names_link_up_is_given_it() -> None:
    assert {name for name in PEERS if PEERS[name]().draws_among_links} == {"graph_neighbours"}
    assert in_pairs(graph_neighbours().sample).draws_among_links
    links, up = topology(small_network()), jnp.zeros(small_network().num_edges, bool)
    for peers in (graph_neighbours(), in_pairs(graph_neighbours().sample)):
        dst = destinations("push", jax.random.key(0), links, push(peers=peers), all_joined(links), up)
        assert (dst == links.num_nodes).all()


def test_uniform_peers_are_among_those_who_joined() -> None:
    joined = np.array([False, True, True, False, True, False, True])
    links = isolated(7)
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
    links = isolated(num_nodes)
    dst = np.asarray(matching().sample(jax.random.key(0), links, all_joined(links), 300))
    for slot in range(300):
        paired = np.flatnonzero(dst[:, slot] < num_nodes)
        assert len(paired) == num_nodes // 2 * 2
        assert (dst[dst[paired, slot], slot] == paired).all()
    counts = np.bincount(dst[0][dst[0] < num_nodes], minlength=num_nodes)[1:]
    assert num_nodes == 2 or stats.chisquare(counts).pvalue > CHI_SQUARE_LEVEL


def test_graph_neighbours_are_drawn_evenly_in_each_slot() -> None:
    network = small_network()
    dst = draw("graph_neighbours", topology(network), 3000)
    for node in range(network.num_nodes):
        neighbours = network.receivers[network.senders == node]
        if not len(neighbours):
            assert (dst[node] == network.num_nodes).all()
            continue
        counts = np.bincount(dst[node], minlength=network.num_nodes + 1)
        assert counts[neighbours].sum() == 3000
        assert len(neighbours) == 1 or stats.chisquare(counts[neighbours]).pvalue > CHI_SQUARE_LEVEL


def test_graph_neighbours_need_not_have_joined_and_follow_one_way_links() -> None:
    links = topology(from_edges([0, 1], [1, 2], np.ones((3, 1))))
    nobody_joined = jnp.zeros(3, bool)
    assert graph_neighbours().sample(jax.random.key(0), links, nobody_joined, 2).tolist() == [[1, 1], [2, 2], [3, 3]]


@pytest.mark.parametrize("num_nodes", [2, 3, 10])
def test_a_permutation_is_one_cycle_through_all_nodes(num_nodes: int) -> None:
    dst = draw("permutation", isolated(num_nodes), 40)
    for slot in range(40):
        path = [0]
        for _ in range(num_nodes):
            path.append(int(dst[path[-1], slot]))
        assert path[-1] == 0
        assert sorted(path[:-1]) == list(range(num_nodes))


def test_every_cycle_is_equally_likely_and_slots_are_independent() -> None:
    dst = draw("permutation", isolated(4), 6000)
    counts = np.unique(dst.T, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > CHI_SQUARE_LEVEL
    successors = np.zeros((4, 4))
    for first, second in pairwise(dst[0]):
        successors[first, second] += 1
    assert stats.chi2_contingency(successors[1:, 1:]).pvalue > CHI_SQUARE_LEVEL


def test_a_rotation_is_one_step_for_all_nodes_and_any_step_is_equally_likely() -> None:
    num_nodes, num_slots = 7, 6000
    dst = draw("rotation", isolated(num_nodes), num_slots)
    step = (dst - np.arange(num_nodes)[:, None]) % num_nodes
    assert (step == step[0]).all()
    counts = np.bincount(step[0], minlength=num_nodes)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:]).pvalue > CHI_SQUARE_LEVEL
    assert (draw("rotation", isolated(2), 5) == [[1], [0]]).all()


@pytest.mark.parametrize("num_nodes", [2, 5])
def test_all_to_all_reaches_every_other_node_once(num_nodes: int) -> None:
    dst = draw("all_to_all", isolated(num_nodes), num_nodes - 1)
    for node in range(num_nodes):
        assert dst[node].tolist() == [other for other in range(num_nodes) if other != node]


@pytest.mark.parametrize("num_slots", [0, 3, 5])
def test_all_to_all_needs_the_right_fanout(num_slots: int) -> None:
    links = isolated(5)
    with pytest.raises(InputError, match=f"fanout: expected 4 for all_to_all among 5 nodes, got {num_slots}"):
        all_to_all().sample(jax.random.key(0), links, all_joined(links), num_slots)


@pytest.mark.parametrize("sampler", [permutation(), rotation()])
def test_what_runs_over_all_nodes_does_not_ask_who_has_joined(sampler: object) -> None:
    links, key = isolated(9), jax.random.key(5)
    everybody, nobody = (sampler.sample(key, links, joined, 3) for joined in (jnp.ones(9, bool), jnp.zeros(9, bool)))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(everybody, nobody)
