"""The scikit-learn style estimator."""

import pickle
from collections.abc import Callable
from typing import Any

import jax
import networkx
import numpy as np
import pandas
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

import jdgnn
from jdgnn.estimator import NodeEmbedding
from tests.support import small_emulator

RING = jdgnn.generators.ring(12, num_features=5)
EDGES = np.stack([RING.senders, RING.receivers])
EMULATOR = jdgnn.Emulator(
    layers=[jdgnn.gcn(7)],
    objective=jdgnn.info_nce(),
    optimizer=jdgnn.sgd(0.1),
    push=jdgnn.push(fanout=2, capacity=3),
    gossip=None,
)


def _small(**parameters: Any) -> NodeEmbedding:
    settings: dict[str, Any] = {"emulator": EMULATOR, "ticks": 3, "record_every": 2} | parameters
    return NodeEmbedding(**settings)


@pytest.fixture(scope="module")
def fitted() -> NodeEmbedding:
    return _small().fit(RING)


def test_a_network_is_embedded_as_run_does_it(fitted: NodeEmbedding) -> None:
    state = EMULATOR.init(jax.random.key(0), RING)
    state, _ = jdgnn.run(EMULATOR, state, RING, 3)
    np.testing.assert_array_equal(fitted.embeddings_, EMULATOR.embeddings(state))
    assert fitted.history_.tick.tolist() == [2, 3]
    assert fitted.network_ is RING
    assert fitted.n_features_in_ == 5


@pytest.mark.parametrize(
    "links",
    [
        {"edges": EDGES},
        {"edges": EDGES.tolist()},
        {"adjacency": sparse.csr_matrix((np.ones(24), EDGES), shape=(12, 12))},
    ],
)
def test_features_and_links_make_the_same_network(links: dict[str, Any], fitted: NodeEmbedding) -> None:
    np.testing.assert_array_equal(_small().fit_transform(RING.features, **links), fitted.embeddings_)


def test_other_graphs_are_taken_as_they_are(fitted: NodeEmbedding) -> None:
    for graph in (jdgnn.network.to_networkx(RING), jdgnn.network.to_jraph(RING)):
        np.testing.assert_array_equal(_small().fit(graph).embeddings_, fitted.embeddings_)


def test_it_ends_a_pipeline_that_prepares_features(fitted: NodeEmbedding) -> None:
    frame = pandas.DataFrame(RING.features, columns=list("abcde"))
    pipeline = make_pipeline(StandardScaler(), _small())
    found = pipeline.fit_transform(frame, nodeembedding__edges=EDGES)
    assert found.shape == fitted.embeddings_.shape
    assert np.abs(found - fitted.embeddings_).max() > 0
    assert _small().fit(frame, edges=EDGES).feature_names_in_.tolist() == list("abcde")
    assert not hasattr(_small(), "transform")


def test_rows_of_a_frame_keep_their_order_and_links_go_by_the_names_in_its_index() -> None:
    """Names that are numbers: node 1 of the edges is the row that is called 1, and not the second row."""
    order = np.random.default_rng(0).permutation(12)
    frame = pandas.DataFrame(RING.features[order], columns=list("abcde"), index=order)
    names = np.array([f"n{v}" for v in range(12)])
    adjacency = sparse.csr_matrix((np.ones(24), EDGES), shape=(12, 12))
    row = np.argsort(order)
    expected = jdgnn.network.from_edges(row[RING.senders], row[RING.receivers], RING.features[order])
    for found in (
        _small().fit(frame, edges=EDGES).network_,
        _small().fit(frame.set_axis(list(map(str, order))), edges=EDGES.astype(float)).network_,
        _small().fit(frame.set_axis(names[order]), edges=names[EDGES]).network_,
        _small().fit(frame, adjacency=adjacency).network_,
    ):
        np.testing.assert_array_equal(found.senders, expected.senders)
        np.testing.assert_array_equal(found.receivers, expected.receivers)
        np.testing.assert_array_equal(found.features, expected.features)
        assert found.feature_names == tuple("abcde")
        assert found.node_names[0].lstrip("n") == str(order[0])


def test_names_that_the_index_of_a_frame_lacks_are_listed() -> None:
    frame = pandas.DataFrame(RING.features, index=[*range(1, 12), 13])
    with pytest.raises(jdgnn.InputError, match="edges: no node has the name 0, 12; the nodes are called '1', '2', '3'"):
        _small().fit(frame, edges=[[0, 1, 2], [1, 2, 12]])
    with pytest.raises(jdgnn.InputError, match=r"X: its index: .* more than once: '1'"):
        _small().fit(frame.set_axis([1] * 2 + list(range(10, 20))), edges=EDGES)


def test_whole_numbers_keep_their_digits_and_what_is_lost_or_not_read_is_told() -> None:
    """As float32, 1,700,000,001 and its neighbours are one number."""
    times = np.column_stack([1_700_000_000 + np.arange(12), RING.features * 2e9]).astype(np.int64)
    with pytest.warns(UserWarning, match=r"features lose values in float32: column 0 \(1 different of 12\)"):
        found = _small().fit(times, edges=EDGES)
    np.testing.assert_array_equal(found.network_.features, times)
    weights = sparse.coo_array((np.arange(EDGES.shape[1]), tuple(EDGES)), shape=(12, 12))
    with pytest.warns(UserWarning, match="adjacency: its entries differ"):
        found = _small().fit(RING.features, adjacency=weights)
    assert found.network_.num_edges == RING.num_edges


def test_columns_of_a_frame_of_edges_are_its_ends() -> None:
    """Also where there are two links, whose rows could be taken for the ends."""
    edges = pandas.DataFrame({"from": [0, 0], "to": [1, 2]})
    network = _small()._network(np.eye(3), None, edges, undirected=False)
    assert (network.senders.tolist(), network.receivers.tolist()) == ([0, 0], [1, 2])


def test_sparse_features_are_taken(fitted: NodeEmbedding) -> None:
    for features in (sparse.csr_array(RING.features), sparse.coo_matrix(RING.features)):
        np.testing.assert_array_equal(_small().fit(features, edges=EDGES).embeddings_, fitted.embeddings_)


def test_the_recipe_is_what_it_learns_with_unless_told() -> None:
    with pytest.warns(UserWarning, match="hardly more than one direction .*; scale the features"):
        found = NodeEmbedding(ticks=1, width=9).fit(RING)
    assert found.embeddings_.shape == (12, 9 + 3)  # four units, five own features, and the degree, 2 in 3 columns
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.embeddings_, found.embeddings_)


def test_the_recipe_follows_the_ticks_asked_for() -> None:
    emulator, ticks, own = NodeEmbedding(ticks=30)._how(5)
    leaves, others = (jax.tree.leaves(one.optimizer) for one in (emulator, jdgnn.recipe(5, ticks=30).emulator))
    assert leaves == others
    assert (ticks, own) == (30, 5)


def test_links_may_be_given_in_one_direction() -> None:
    emulator = small_emulator()
    ends = np.array([np.arange(11), np.arange(1, 12)])
    found = NodeEmbedding(emulator, ticks=2).fit(RING.features, edges=ends, undirected=True)
    assert found.network_.num_edges == 22


def test_parameters_are_set_copied_and_seeds_count(fitted: NodeEmbedding) -> None:
    copy = clone(fitted)
    assert not hasattr(copy, "embeddings_")
    assert copy.get_params()["ticks"] == 3
    np.testing.assert_array_equal(copy.fit(RING).embeddings_, fitted.embeddings_)
    copy.set_params(seed=1, own_features=2)
    assert copy.fit_transform(RING).shape == (12, 7 + 2 + 3)
    assert np.abs(copy.embeddings_[:, :7] - fitted.embeddings_).max() > 0


@pytest.mark.parametrize(
    ("parameters", "arguments", "message"),
    [
        ({}, {"X": RING.features}, r"X: got features without links; give fit\(X, adjacency=...\)"),
        ({}, {"X": RING, "edges": EDGES}, "X: got Network with links of its own"),
        ({}, {"X": RING.features, "edges": EDGES, "adjacency": 1}, "edges: got them beside adjacency"),
        ({}, {"X": RING.features, "edges": EDGES.T}, r"edges: .*got shape \(24, 2\).*; transpose it"),
        ({}, {"X": RING, "undirected": True}, "undirected: got True without edges"),
        ({}, {"X": RING.features, "edges": EDGES, "undirected": 1}, "undirected: .*got 1"),
        ({}, {"X": RING.features, "adjacency": np.eye(12)}, "adjacency: .*got ndarray"),
        ({}, {"X": np.full((12, 2), np.nan), "edges": EDGES}, "Input X contains NaN"),
        ({}, {"X": networkx.path_graph(3)}, "graph: there is no column of features"),
        ({"ticks": 0}, {"X": RING}, "ticks: .*got 0"),
        ({"seed": -1}, {"X": RING}, "seed: .*got -1"),
        ({"emulator": "gcn"}, {"X": RING}, "emulator: .*got str"),
        ({"own_features": 0.5}, {"X": RING}, "own_features: .*got 0.5"),
    ],
)
def test_what_makes_no_sense_is_refused(parameters: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _small(**parameters).fit(**arguments)


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_estimator_tags_renamed,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
        estimator_checks.check_valid_tag_types,
        estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    ],
)
def test_checks_of_scikit_learn_that_need_no_links(check: Callable[..., None]) -> None:
    check("NodeEmbedding", NodeEmbedding())


class OnARing(NodeEmbedding):
    """Links the rows of any table in a ring, for checks that know of no links."""

    def fit(self, X: Any, y: Any = None, **links: Any) -> Any:
        number = np.arange(np.shape(X)[0])
        return super().fit(X, y, edges=[number, np.roll(number, 1)])


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_fit1d,
        estimator_checks.check_estimators_empty_data_messages,
        estimator_checks.check_estimator_sparse_array,
        estimator_checks.check_complex_data,
    ],
)
def test_checks_of_scikit_learn_of_tables_that_are_refused(check: Callable[..., None]) -> None:
    check("OnARing", OnARing(EMULATOR, ticks=1))
