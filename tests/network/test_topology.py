"""The links as arrays: out-neighbour lists, and edges found by their ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jdgnn.network.network import Network, from_edges
from jdgnn.network.topology import Topology, topology
from tests.support import assert_same_bits, small_network

find = jax.jit(lambda links, src, dst: links.edges_between(src, dst))


def isolated(num_nodes: int) -> Network:
    return from_edges([], [], np.ones((num_nodes, 1)), allow_no_edges=True)


def star(num_leaves: int) -> Network:
    """Every leaf sends to node 0."""
    return from_edges(np.arange(1, num_leaves + 1), np.zeros(num_leaves, int), np.ones((num_leaves + 1, 1)))


NETWORKS = {
    "random": small_network(),
    "one node": isolated(1),
    "no edges": isolated(3),
    "star": star(37),
    "one edge": from_edges([1], [0], np.ones((2, 1))),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_out_edges_are_listed_by_sender(name: str) -> None:
    network = NETWORKS[name]
    links = topology(network)
    assert links.by_sender.dtype == links.out_degree.dtype == links.out_offset.dtype == jnp.int32
    assert links.out_degree.shape == links.out_offset.shape == (network.num_nodes,)
    for node in range(network.num_nodes):
        first, count = int(links.out_offset[node]), int(links.out_degree[node])
        edges = np.asarray(links.by_sender)[first : first + count]
        assert network.receivers[edges].tolist() == sorted(network.receivers[network.senders == node].tolist())
        assert (network.senders[edges] == node).all()
    assert sorted(links.by_sender.tolist()) == list(range(network.num_edges))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_pair_of_nodes_is_found_or_not(name: str) -> None:
    network = NETWORKS[name]
    ends = zip(network.senders.tolist(), network.receivers.tolist(), strict=True)
    number = {pair: edge for edge, pair in enumerate(ends)}
    names = np.arange(-1, network.num_nodes + 2, dtype=np.int32)  # also what is no node
    src, dst = np.meshgrid(names, names)
    found = find(topology(network), src, dst)
    assert found.dtype == jnp.int32
    assert found.shape == src.shape
    for u, v, edge in zip(src.ravel(), dst.ravel(), np.asarray(found).ravel(), strict=True):
        assert edge == number.get((u, v), network.num_edges)


@settings(max_examples=25)
@given(st.integers(0, 2**31 - 1))
def test_edges_are_found_in_any_network(seed: int) -> None:
    network = small_network(seed=seed)
    links = topology(network)
    np.testing.assert_array_equal(find(links, links.senders, links.receivers), np.arange(network.num_edges))
    src, dst = np.random.default_rng(seed).integers(0, 12, (2, 200), np.int32)
    edge = np.asarray(find(links, src, dst))
    is_found = edge < network.num_edges
    linked = set(zip(network.senders.tolist(), network.receivers.tolist(), strict=True))
    assert is_found.tolist() == [pair in linked for pair in zip(src.tolist(), dst.tolist(), strict=True)]


def test_the_same_in_both_precisions() -> None:
    def everything() -> tuple[Topology, jax.Array]:
        links = topology(from_edges([0, 1, 2], [1, 0, 1], np.ones((3, 1)), link_quality=[0.5, 1.0, 0.25]))
        return links, find(links, links.senders[::-1], links.receivers)

    narrow = everything()
    assert narrow[0].link_quality is not None
    assert narrow[0].link_quality.tolist() == [1.0, 0.5, 0.25]
    assert narrow[0].link_quality.dtype == jnp.float32
    with jax.enable_x64():
        assert_same_bits(narrow, everything())


def test_without_measurements_there_is_no_quality() -> None:
    assert topology(small_network()).link_quality is None
