"""Networks from edge lists: what is sorted, merged, kept and rejected."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from jdgnn.errors import InputError
from jdgnn.network import Splits, from_edges, topology
from tests.bad_inputs import assert_told


def _splits(num_nodes: int, **changes: Any) -> Splits:
    masks = {part: np.zeros((1, num_nodes), bool) for part in ("train", "validation", "test")}
    return Splits(**(masks | changes))


def test_edges_are_sorted_by_receiver_then_sender_with_their_quality() -> None:
    network = from_edges([2, 0, 1, 1], [0, 1, 2, 0], np.eye(3), link_quality=[0.1, 0.2, 0.3, 0.4])
    assert network.receivers.tolist() == [0, 0, 1, 2]
    assert network.senders.tolist() == [1, 2, 0, 1]
    assert network.link_quality is not None
    assert network.link_quality.tolist() == pytest.approx([0.4, 0.1, 0.2, 0.3])
    assert network.in_degree.tolist() == [2, 1, 1]


def test_self_loops_go_and_duplicates_keep_the_best_quality() -> None:
    network = from_edges([0, 0, 1, 0], [1, 1, 1, 0], np.eye(2), link_quality=[0.2, 0.9, 1.0, 1.0])
    assert list(zip(network.senders.tolist(), network.receivers.tolist(), strict=True)) == [(0, 1)]
    assert network.link_quality is not None
    assert network.link_quality.tolist() == pytest.approx([0.9])
    assert (network.num_self_loops_removed, network.num_duplicates_merged) == (2, 1)


def test_undirected_adds_the_other_direction_once() -> None:
    network = from_edges([0, 1, 1, 2], [1, 0, 2, 2], np.eye(3), undirected=True)
    assert sorted(zip(network.senders.tolist(), network.receivers.tolist(), strict=True)) == [
        (0, 1),
        (1, 0),
        (1, 2),
        (2, 1),
    ]
    assert (network.num_self_loops_removed, network.num_duplicates_merged) == (1, 1)


def test_an_undirected_link_counts_once() -> None:
    network = from_edges([0, 0, 0, 2, 2, 2], [1, 1, 1, 0, 2, 2], np.eye(3), undirected=True)
    assert (network.num_edges, network.num_self_loops_removed, network.num_duplicates_merged) == (4, 2, 2)


def test_one_way_links_isolated_nodes_and_a_single_node_are_fine() -> None:
    network = from_edges([0], [1], np.eye(4))
    assert network.in_degree.tolist() == [0, 1, 0, 0]
    assert from_edges([], [], [[1.0]]).num_nodes == 1
    assert from_edges([], [], np.eye(2), allow_no_edges=True).num_edges == 0


def test_features_keep_a_floating_dtype_and_others_become_float32() -> None:
    assert from_edges([0], [1], np.eye(2)).features.dtype == np.float64
    assert from_edges([0], [1], np.eye(2, dtype=bool)).features.dtype == np.float32


def test_repr_says_what_is_there() -> None:
    network = from_edges([0], [1], np.eye(2), labels=[0, 1], name="pair")
    assert repr(network) == "Network('pair': 2 nodes, 1 directed edges, 2 features, 2 classes)"


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6))))
def test_any_edge_list_gives_its_set_of_proper_edges(edges: list[tuple[int, int]]) -> None:
    ends = np.array(edges, dtype=int).reshape(-1, 2)
    network = from_edges(ends[:, 0], ends[:, 1], np.eye(7), allow_no_edges=True)
    kept = list(zip(network.receivers.tolist(), network.senders.tolist(), strict=True))
    assert kept == sorted({(v, u) for u, v in edges if u != v})
    assert len(edges) == network.num_edges + network.num_self_loops_removed + network.num_duplicates_merged


def test_topology_finds_the_in_edges_of_each_node() -> None:
    network = from_edges([1, 2, 0, 3], [0, 0, 2, 2], np.eye(4))
    links = topology(network)
    assert (links.num_nodes, links.num_edges) == (4, 4)
    for node in range(4):
        first = int(links.in_offset[node])
        receivers = links.receivers[first : first + int(links.in_degree[node])]
        assert receivers.tolist() == [node] * int(network.in_degree[node])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": [1.0, 2.0, 3.0]}, r"features: .*got shape \(3,\)"),
        ({"features": np.zeros((3, 0))}, r"features: .*got shape \(3, 0\)"),
        ({"features": [["a"], ["b"], ["c"]]}, "features: .*got dtype <U1"),
        ({"features": [[1.0], [2.0, 3.0], [4.0]]}, "features: not a rectangular array"),
        ({"features": [[1.0], [np.nan], [np.inf]]}, "features: 2 entries are not finite, the first is nan at node 1"),
        ({"features": np.eye(3) * 1j}, "features: .*got dtype complex128"),
        ({"senders": [0, 3]}, "senders: edge 1 names node 3, and features describe nodes 0 to 2"),
        ({"receivers": [-1, 2]}, "receivers: edge 0 names node -1"),
        ({"senders": [0.0, 1.0]}, "senders: .*got dtype float64"),
        ({"senders": [[0, 1]]}, r"senders: .*got shape \(1, 2\)"),
        ({"receivers": [1]}, "receivers: expected one for each of 2 senders, got 1"),
        ({"senders": [0, 1], "receivers": [0, 1]}, "senders: no edge between two different nodes"),
        ({"link_quality": [0.5]}, r"link_quality: .*got shape \(1,\)"),
        ({"link_quality": [0.5, 1.5]}, "link_quality: expected probabilities from 0 to 1, got 1.5 at edge 1"),
        ({"link_quality": [np.nan, 0.5]}, "got nan at edge 0"),
        ({"link_quality": ["a", "b"]}, "link_quality: .*got dtype <U1"),
        ({"labels": [0, 1]}, r"labels: .*got shape \(2,\)"),
        ({"labels": [0, 1, -2]}, "labels: .*got -2 at node 2"),
        ({"labels": ["a", "b", "c"]}, "labels: .*got dtype <U1"),
        ({"labels": [0, 1, 2], "class_names": ("a", "b")}, "class_names: got 2 names, and labels go up to 2"),
        ({"labels": [0, 1, 2**31]}, "labels: .*got 2147483648 at node 2"),
        ({"labels": np.array([0, 2**64 - 1, 1], np.uint64)}, "labels: .*got 18446744073709551615 at node 1"),
        ({"features": None}, "features: .*got None"),
        ({"features": sparse.csr_array(np.eye(3))}, r"features: .*got a sparse csr_array"),
        ({"senders": None}, "senders: .*got None"),
        ({"splits": {"train": [True]}}, "splits: no node has the name True"),
        ({"class_names": 3}, "class_names: .*got 3"),
        ({"class_names": "abc"}, "class_names: .*got 'abc'"),
        ({"class_names": (1, 2)}, r"class_names: .*got \(1, 2\)"),
        ({"undirected": "no"}, "undirected: .*got 'no'"),
        ({"allow_no_edges": 1}, "allow_no_edges: .*got 1"),
        ({"name": 3}, "name: .*got int"),
        ({"splits": _splits(4)}, r"splits.train: .*got bool \(1, 4\)"),
        ({"splits": _splits(3, test=np.zeros((1, 3)))}, "splits.test: .*got float64"),
        ({"splits": _splits(3, train=np.ones((1, 3), bool), test=np.ones((1, 3), bool))}, "splits: node 0 stands in"),
    ],
)
def test_bad_input_is_one_clear_sentence(changes: dict[str, Any], message: str) -> None:
    given_arguments: dict[str, Any] = {"senders": [0, 1], "receivers": [1, 2], "features": np.eye(3)}
    with pytest.raises(InputError, match=message) as rejected:
        from_edges(**(given_arguments | changes))
    given = ", ".join(f"{name}={' '.join(repr(value).split())[:60]}" for name, value in changes.items())
    assert_told("Networks from arrays", given, rejected.value)


def test_quality_may_differ_there_and_back() -> None:
    network = from_edges([0, 1], [1, 2], np.eye(3), link_quality=[[0.25, 0.5], [0.75, 1]], undirected=True)
    pairs = zip(network.senders.tolist(), network.receivers.tolist(), strict=True)
    assert network.link_quality is not None
    found = dict(zip(pairs, network.link_quality.tolist(), strict=True))
    assert found == {(0, 1): 0.25, (1, 0): 0.5, (1, 2): 0.75, (2, 1): 1.0}
    with pytest.raises(InputError, match=r"link_quality: .*got shape \(2, 2\)"):
        from_edges([0, 1], [1, 2], np.eye(3), link_quality=[[0.25, 0.5], [0.75, 1]])
