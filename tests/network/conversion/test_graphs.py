"""Networks from and to jraph, networkx and SciPy."""

from typing import Any

import jax.numpy as jnp
import jraph
import networkx
import numpy as np
import pandas
import pytest
from scipy import sparse

from jdgnn.errors import InputError
from jdgnn.network import (
    Network,
    Splits,
    as_network,
    from_edges,
    from_jraph,
    from_networkx,
    from_scipy,
    to_jraph,
    to_networkx,
    to_scipy,
)
from tests.network.five import assert_same, five


def test_round_trip_through_jraph() -> None:
    network = five()
    graph = to_jraph(network)
    assert isinstance(graph, jraph.GraphsTuple)
    apart = ("labels", "splits", "class_names", "node_names", "name")
    assert_same(network, from_jraph(graph), *apart)
    assert_same(network, as_network(graph), *apart)
    back = from_jraph(graph, labels=network.labels, splits=network.splits, class_names=network.class_names, name="five")
    assert_same(network, back, "node_names")


def test_round_trip_through_networkx() -> None:
    network = five()
    graph = to_networkx(network)
    assert list(graph.nodes) == [0, 1, 2, 3, 4]
    assert_same(network, as_network(graph), "splits", "notes")
    assert_same(network, from_networkx(graph, splits=network.splits), "notes")


def test_round_trip_through_scipy() -> None:
    network = five()
    matrix = to_scipy(network)
    assert matrix.shape == (5, 5)
    assert matrix[3, 2] == 1
    others: dict[str, Any] = {
        "labels": network.labels,
        "splits": network.splits,
        "class_names": network.class_names,
        "name": "five",
    }
    assert_same(network, from_scipy(matrix, network.features, link_quality="data", **others), "node_names")
    plain = from_edges([0, 1], [1, 2], np.eye(3))
    assert_same(plain, from_scipy(to_scipy(plain), plain.features))


def test_round_trip_without_quality_and_labels() -> None:
    network = from_edges([0, 1], [1, 2], np.eye(3))
    for back in (as_network(to_jraph(network)), as_network(to_networkx(network))):
        assert_same(network, back, "notes")


def test_names_of_nodes_are_kept_where_they_say_something() -> None:
    assert from_networkx(networkx.path_graph(["a", (0, 1)]), features=np.eye(2)).node_names == ("a", "(0, 1)")
    assert from_networkx(networkx.path_graph(2), features=np.eye(2)).node_names == ()
    with pytest.raises(InputError, match="id: expected each id once, got '1' \\(node 1\\)"):
        from_networkx(networkx.path_graph(["1", 1]), features=np.eye(2))


def test_nodes_that_are_called_by_numbers_stand_in_their_order() -> None:
    """As `read_edgelist` leaves them, they do not: rows of an array were another node's."""
    graph = networkx.parse_edgelist(["2 0", "0 1", "1 3"], nodetype=int)
    for one in (graph, networkx.relabel_nodes(graph, str)):
        network = from_networkx(one, features=np.arange(4.0)[:, None])
        assert network.node_names == ()
        assert "nodes are numbered as they are called, 0 to 3, and not in the order of the graph" in network.notes
        assert network.features.ravel().tolist() == [0, 1, 2, 3]
        assert not any("order of graph.nodes" in note for note in network.notes)
        assert _edges(network) == [(0, 1), (0, 2), (1, 0), (1, 3), (2, 0), (3, 1)]


def test_rows_of_an_array_need_an_order_where_nodes_are_other_numbers() -> None:
    graph = networkx.Graph([(30, 10), (10, 20)])
    with pytest.raises(InputError, match=r"features: expected nodes=.* numbers in another order: 30, 10, 20"):
        from_networkx(graph, features=np.eye(3))
    with pytest.raises(InputError, match=r"numbers in another order: -1, 3, 2"):
        from_networkx(networkx.path_graph([-1, 3, 2]), features=np.eye(3))
    network = from_networkx(graph, features=np.eye(3), nodes=[10, 20, 30])
    assert network.node_names == ("10", "20", "30")
    assert _edges(network) == [(0, 1), (0, 2), (1, 0), (2, 0)]
    assert from_networkx(graph, features=np.eye(3), nodes=list(graph)).node_names == ("30", "10", "20")
    assert from_networkx(networkx.path_graph([10, 20, 30]), features=np.eye(3)).notes[-1].startswith("links")
    wrong = "nodes: .* unknown: 40; missing: '30'; there twice or more: '20'"
    with pytest.raises(InputError, match=wrong):
        from_networkx(graph, features=np.eye(3), nodes=[10, 20, 40, 20])
    splits = Splits(**{part: np.eye(3, dtype=bool)[[row]] for row, part in enumerate(("train", "validation", "test"))})
    frame = pandas.DataFrame({"x": [1.0, 2.0, 3.0]}, index=[10, 20, 30])
    with pytest.raises(InputError, match="splits: expected nodes="):
        from_networkx(graph, features=frame, splits=splits)
    assert from_networkx(graph, features=frame).features.ravel().tolist() == [3, 1, 2]


def test_rows_of_a_frame_go_by_name_and_those_of_an_array_by_an_order_that_is_told() -> None:
    graph = networkx.Graph([("sink", "relay"), ("relay", "sensor")])
    frame = pandas.DataFrame({"load": [1.0, 2.0, 3.0]}, index=["sensor", "relay", "sink"])
    network = from_networkx(graph, features=frame, splits={"sensor": "train", "sink": "test"})
    assert network.node_names == ("sink", "relay", "sensor")
    assert network.features.ravel().tolist() == [3, 2, 1]
    assert network.feature_names == ("load",)
    assert network.splits is not None
    assert network.splits.train.tolist() == [[False, False, True]]
    told = "features: rows were taken in the order of graph.nodes: 'sink', 'relay', 'sensor'"
    assert told in from_networkx(graph, features=frame.to_numpy()).notes
    assert told not in from_networkx(graph, features=frame.to_numpy(), nodes=list(graph)).notes
    masks = Splits(**{part: np.eye(3, dtype=bool)[[row]] for row, part in enumerate(("train", "validation", "test"))})
    assert told.replace("features", "splits") in from_networkx(graph, features=frame, splits=masks).notes
    with pytest.raises(InputError, match=r"features: its index: .* unknown: 'hub'; missing: 'sink'"):
        from_networkx(graph, features=frame.rename({"sink": "hub"}))


def test_names_go_along_with_nodes_that_are_relabelled() -> None:
    """They stood in a list by the number of the node, so that another node had them."""
    graph = to_networkx(from_edges([0, 1], [1, 2], [[7.0], [8.0], [9.0]], node_names=("seven", "eight", "nine")))
    part = networkx.convert_node_labels_to_integers(graph.subgraph([1, 2]))
    turned = networkx.relabel_nodes(graph, {0: 2, 1: 1, 2: 0})
    for one, count in ((graph, 3), (part, 2), (turned, 3)):
        network = from_networkx(one)
        of = {"seven": 7.0, "eight": 8.0, "nine": 9.0}
        assert network.features.ravel().tolist() == [of[name] for name in network.node_names]
        assert (len(network.node_names), network.num_features) == (count, 1)


def test_display_names_are_no_classes() -> None:
    many = networkx.path_graph(11)
    networkx.set_node_attributes(many, {node: str(node + 5) for node in many}, "label")  # as write_gml does
    assert from_networkx(many, features="one").labels is None
    graph = networkx.path_graph(["a", "b", "c", "d"])
    for number, (node, name) in enumerate(zip(graph, ["Ann", "Bob", "Cy", "Di"], strict=True)):
        graph.nodes[node].update(label=name, x=number / 2, modularity_class=number % 2)
    plain = from_networkx(graph, features="x")
    assert plain.labels is None
    assert any(note.startswith("label: taken for display names") for note in plain.notes)
    chosen = from_networkx(graph, label="modularity_class")
    assert chosen.labels is not None
    assert chosen.labels.tolist() == [0, 1, 0, 1]
    assert chosen.feature_names == ("x",)


def test_attributes_are_read_as_columns_of_tables_are() -> None:
    graph = networkx.path_graph(["a", "b", "c", "d"])
    values = [(1, "wifi", "phone"), (None, "wire", "router"), (2**24 + 1, "wifi", "?"), (3, "wire", "phone")]
    for node, (load, link, kind) in zip(graph, values, strict=True):
        graph.nodes[node].update(load=load, link=link, label=kind)
    network = from_networkx(graph, text="onehot", missing="mean")
    assert network.feature_names == ("load", "link=wifi", "link=wire")
    assert network.features[2].tolist() == [2**24 + 1, 1, 0]  # exact in float64
    assert network.features[1, 0] == pytest.approx((1 + 2**24 + 1 + 3) / 3)
    assert network.labels is not None
    assert network.labels.tolist() == [0, 1, -1, 0]
    with pytest.raises(InputError, match=r"texts: link .*; values are missing: load .*node 'b'"):
        from_networkx(graph)
    assert from_networkx(graph, features="degree").features.ravel().tolist() == [1, 2, 2, 1]


def test_weights_are_read_where_they_are_named_and_told_where_not() -> None:
    graph = networkx.Graph()
    graph.add_edge("a", "b", weight=0.5)
    graph.add_edge("b", "c", weight=0.0)
    network = from_networkx(graph, features="one", link_quality="weight")
    assert network.link_quality is not None
    assert network.link_quality.tolist() == [0.5, 0.5, 0.0, 0.0]
    unused = from_networkx(graph, features="one")
    assert unused.num_edges == 4
    assert unused.link_quality is None
    assert any(note.startswith("not read of links: weight") for note in unused.notes)
    graph.edges["a", "b"]["weight"] = 30.0
    with pytest.raises(InputError, match=r"weight: expected probabilities from 0 to 1, got 30.0 .edge 0."):
        from_networkx(graph, features="one", link_quality="weight")


def test_a_network_is_itself() -> None:
    network = five()
    assert as_network(network) is network


def test_something_else_is_no_network() -> None:
    with pytest.raises(InputError, match=r"network: .*got ndarray"):
        as_network(np.eye(3))


def _graphs_tuple(**changes: Any) -> jraph.GraphsTuple:
    graph = jraph.GraphsTuple(
        nodes=jnp.eye(3),
        edges=None,
        senders=jnp.array([0, 1]),
        receivers=jnp.array([1, 2]),
        globals=None,
        n_node=jnp.array([3]),
        n_edge=jnp.array([2]),
    )
    return graph._replace(**changes)


def test_jraph_graph_of_accelerator_arrays() -> None:
    network = from_jraph(_graphs_tuple())
    assert network.senders.tolist() == [0, 1]
    assert isinstance(network.features, np.ndarray)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (jraph.batch([_graphs_tuple(), _graphs_tuple()]), "got 2 graphs, .* jraph.unbatch"),
        (jraph.pad_with_graphs(_graphs_tuple(), 8, 8, 2), "got 2 graphs, .* jraph.unpad_with_graphs"),
        (_graphs_tuple(nodes=None), "graphs_tuple.nodes: .*got None"),
        (_graphs_tuple(nodes={"x": jnp.eye(3)}), "graphs_tuple.nodes: .*got dict"),
        (_graphs_tuple(senders=None), "graphs_tuple.senders"),
        (_graphs_tuple(receivers=None), "graphs_tuple.receivers: .*got None"),
        (_graphs_tuple(nodes=3.0), r"graphs_tuple.n_node: says .3., and nodes has shape \(\)"),
        (_graphs_tuple(senders=1), r"graphs_tuple.n_edge: says .2., and senders has shape \(\)"),
        (_graphs_tuple(n_node=None), "graphs_tuple.n_node: .*got None"),
        (_graphs_tuple(n_edge="a"), r"graphs_tuple.n_edge: says a, and senders has shape \(2,\)"),
        (_graphs_tuple(n_node=jnp.array([4])), r"graphs_tuple.n_node: says .4., and nodes has shape \(3, 3\)"),
        (_graphs_tuple(n_edge=jnp.array([1])), r"graphs_tuple.n_edge: says .1., and senders has shape \(2,\)"),
        (_graphs_tuple(edges={"link_quality": jnp.array([1.0, 2.0])}), "got 2.0 at edge 1"),
        (networkx.path_graph(2), "graphs_tuple: .*got Graph"),
    ],
)
def test_unfit_jraph_graphs_are_refused(graph: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_jraph(graph)


def _edges(network: Network) -> list[tuple[int, int]]:
    return sorted(zip(network.senders.tolist(), network.receivers.tolist(), strict=True))


def test_undirected_networkx_graph_gives_both_directions_in_node_order() -> None:
    graph = networkx.Graph(name="lab")
    graph.add_nodes_from(["sink", (0, 1), frozenset({2})])
    graph.add_edge(frozenset({2}), "sink", link_quality=0.25)
    network = from_networkx(graph, features=np.eye(3))
    assert _edges(network) == [(0, 2), (2, 0)]
    assert network.link_quality is not None
    assert network.link_quality.tolist() == [0.25, 0.25]
    assert network.name == "lab"


def test_directed_and_multigraphs() -> None:
    assert _edges(from_networkx(networkx.DiGraph([(0, 1), (1, 2)]), features=np.eye(3))) == [(0, 1), (1, 2)]
    graph = networkx.MultiGraph([(0, 1), (0, 1), (1, 1)])
    network = from_networkx(graph, features=np.eye(2))
    assert _edges(network) == [(0, 1), (1, 0)]
    assert network.num_self_loops_removed == 1
    assert network.num_duplicates_merged == 1


def test_attributes_of_any_name() -> None:
    graph = networkx.path_graph(3)
    for node, club in enumerate(["tennis", "chess", "tennis"]):
        graph.nodes[node].update(reading=node * 0.5, club=club)
    networkx.set_edge_attributes(graph, 0.5, "quality")
    network = from_networkx(graph, features="reading", label="club", link_quality="quality")
    assert network.features.tolist() == [[0.0], [0.5], [1.0]]
    assert network.labels is not None
    assert network.labels.tolist() == [1, 0, 1]
    assert network.class_names == ("chess", "tennis")
    assert network.link_quality is not None


@pytest.mark.parametrize(
    ("nodes", "arguments", "message"),
    [
        ([{}, {}], {}, "graph: there is no column of features .* write features = 'degree'"),
        ([{"features": [1.0]}, {}], {}, "features: expected numbers of shape .1,., .* got 'no list' .node 1."),
        (
            [{"features": [1.0]}, {"features": [1.0, 2.0]}],
            {},
            "features: expected numbers of shape .1,., .* got .2,. .node 1.",
        ),
        ([{"x": 1.0}, {}], {}, "graph: values are missing: x .1 of 2, first node 1."),
        ([{"label": 1.5}, {"label": "a"}], {"features": np.eye(2)}, "label: expected whole numbers or texts .* 1.5"),
        ([{}, {}], {"features": np.eye(2), "label": "club"}, "there is no column 'club'"),
        ([{}, {}], {"features": np.eye(1)}, "features: expected a row for each of 2 nodes, got 1"),
        ([{}, {}], {"features": np.eye(3)}, "features: expected a row for each of 2 nodes, got 3"),
        ([{}, {}], {"features": 3.0}, "features: .*got shape"),
        ([{}, {}], {"features": np.eye(2), "label": [0, 1]}, "label: .*got int"),
        ([{}, {}], {"features": np.eye(2), "link_quality": "tq"}, "link_quality: there is no column 'tq'"),
    ],
)
def test_missing_attributes_are_named(nodes: list[dict[str, Any]], arguments: dict[str, Any], message: str) -> None:
    graph = networkx.Graph()
    graph.add_nodes_from(enumerate(nodes))
    graph.add_edge(0, 1)
    with pytest.raises(InputError, match=message):
        from_networkx(graph, **arguments)


def test_class_names_of_a_networkx_graph_are_strings() -> None:
    graph = networkx.path_graph(2)
    graph.graph["class_names"] = 3
    with pytest.raises(InputError, match=r"graph.graph\['class_names'\]: .*got 3"):
        from_networkx(graph, features=np.eye(2))


def test_something_else_is_no_networkx_graph() -> None:
    with pytest.raises(InputError, match=r"graph: .*got list"):
        from_networkx([(0, 1)])


FORMATS = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("form", FORMATS)
def test_every_sparse_class_gives_the_same_network(form: str, kind: str) -> None:
    dense = np.array([[0.5, 0.25, 0.0], [0.0, 0.0, 1.0], [0.75, 0.0, 0.0]])
    matrix = getattr(sparse, f"{form}_{kind}")(dense)
    network = from_scipy(matrix, np.eye(3), link_quality="data")
    assert _edges(network) == [(0, 1), (1, 2), (2, 0)]
    assert network.link_quality is not None
    assert network.link_quality.tolist() == [0.75, 0.25, 1.0]  # of the receivers 0, 1, 2
    assert network.num_self_loops_removed == 1
    np.testing.assert_array_equal(matrix.toarray(), dense)


def test_every_entry_that_is_stored_is_an_edge_and_the_best_quality_stays() -> None:
    matrix = sparse.coo_array(([0.3, 0.4, 0.0, 1.0], ([0, 0, 1, 1], [1, 1, 0, 2])), shape=(3, 3))
    for one in (matrix, sparse.csr_array(to_scipy(from_scipy(matrix, np.eye(3), link_quality="data")))):
        network = from_scipy(one, np.eye(3), link_quality="data")
        assert _edges(network) == [(0, 1), (1, 0), (1, 2)]
        assert network.link_quality is not None
        np.testing.assert_array_equal(network.link_quality, np.array([0.0, 0.4, 1.0], np.float32))
        assert network.notes == ()
    unused = from_scipy(matrix, np.eye(3))
    assert unused.link_quality is None
    assert unused.notes[0].startswith("not read of links: data;")
    assert from_scipy(sparse.csr_array(np.eye(3) + 1), np.eye(3)).num_edges == 6
    assert from_scipy(sparse.csr_array((np.full(2, 7), ([0, 1], [1, 2])), shape=(3, 3)), np.eye(3)).notes == ()
    blocks = sparse.bsr_array(np.kron(np.eye(2), [[0.0, 1.0], [0.0, 0.0]]), blocksize=(2, 2))
    assert _edges(from_scipy(blocks, np.eye(4))) == [(0, 1), (2, 3)]  # zeros that fill blocks are no entries


def test_edges_of_a_jraph_graph_are_read_where_they_are_named_and_told_where_not() -> None:
    weights = jnp.array([[0.5], [0.25]])
    for edges, name in (({"w": weights, "kind": jnp.array([1, 1])}, "w"), (weights, "edges")):
        network = from_jraph(_graphs_tuple(edges=edges), link_quality=name)
        assert network.link_quality is not None
        assert network.link_quality.tolist() == [0.5, 0.25]
        assert network.notes == ()
        unused = from_jraph(_graphs_tuple(edges=edges))
        assert unused.link_quality is None
        assert unused.notes[0].startswith(f"not read of links: {name};")
    with pytest.raises(InputError, match=r"link_quality: expected a key of graphs_tuple.edges \('edges'\), got 'w'"):
        from_jraph(_graphs_tuple(edges=weights), link_quality="w")


@pytest.mark.parametrize(
    ("matrix", "arguments", "message"),
    [
        (np.eye(3), {}, "matrix: .*got ndarray"),
        (sparse.csr_array((3, 2)), {}, r"matrix: .*got shape \(3, 2\)"),
        (sparse.csr_array((4, 4)), {}, "matrix: describes 4 nodes, and features 3"),
        (sparse.csr_array(np.full((3, 3), 2.0)), {"link_quality": "data"}, "got 2.0 at edge 0"),
        (
            sparse.csr_array(np.ones((3, 3))),
            {"link_quality": "weights"},
            "link_quality: expected 'data' .* got 'weights'",
        ),
        (sparse.csr_array(np.ones((3, 3))), {"link_quality": np.ones(9)}, "link_quality: expected 'data' .* got array"),
        (
            sparse.csr_array(np.array([[0, 1, 0], [0, 0, np.nan], [0, 0, 0]])),
            {},
            r"matrix: expected finite numbers, got nan at \[1, 2\]",
        ),
        (
            sparse.csr_array(np.array([[0, np.inf, 0], [0, 0, 1], [0, 0, 0]])),
            {},
            r"matrix: expected finite numbers, got inf at \[0, 1\]",
        ),
        (sparse.csr_array(np.ones((3, 3))), {"features": None}, "features: .*got None"),
        (sparse.csr_array(np.ones((3, 3))), {"features": [[1.0], [1.0, 2.0], [1.0]]}, "features: not a rectangular"),
    ],
)
def test_unfit_matrices_are_refused(matrix: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_scipy(matrix, **({"features": np.eye(3)} | arguments))
