"""Tasks besides the linear probe: links, clusters, nearest neighbours, few labels, label propagation, own features."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jdgnn
from jdgnn import InputError, evaluation
from jdgnn.network import Splits, from_edges, random_projection, random_splits, ring
from tests.support import small_network


def blocks(num_nodes: int = 60, num_classes: int = 3) -> jdgnn.Network:
    """A ring whose nodes wear their class as a feature."""
    labels = np.arange(num_nodes) % num_classes
    network = from_edges(
        np.arange(num_nodes),
        np.roll(np.arange(num_nodes), 1),
        np.eye(num_classes)[labels],
        labels=labels,
        undirected=True,
    )
    return dataclasses.replace(network, splits=random_splits(labels, 2, per_class=4, validation=12))


def pairs_of(network: jdgnn.Network) -> set[tuple[int, int]]:
    ends = zip(network.senders.tolist(), network.receivers.tolist(), strict=True)
    return {(min(pair), max(pair)) for pair in ends}


def test_links_are_taken_out_whole_and_the_others_stay() -> None:
    network = small_network()
    held_out = evaluation.hold_out_links(network, 0.3, seed=1)
    linked, unlinked = ({tuple(pair) for pair in pairs.tolist()} for pairs in (held_out.linked, held_out.unlinked))
    every = pairs_of(network)
    assert linked < every
    assert pairs_of(held_out.network) == every - linked
    assert not unlinked & every
    assert len(linked) == len(unlinked) == len(held_out.linked) == len(held_out.unlinked) == round(0.3 * len(every))
    assert all(low < high for low, high in linked | unlinked)
    again, other = (evaluation.hold_out_links(network, 0.3, seed=seed) for seed in (1, 2))
    assert_array_equal(again.linked, held_out.linked)
    assert (other.linked != held_out.linked).any()


def test_one_way_links_count_and_quality_goes_with_its_link() -> None:
    network = from_edges([0, 1, 2, 3, 5], [1, 2, 3, 4, 0], np.eye(8), link_quality=[0.1, 0.2, 0.3, 0.4, 0.5])
    left = evaluation.hold_out_links(network, 0.4).network
    quality = dict(zip(zip(network.senders, network.receivers, strict=True), network.link_quality, strict=True))  # type: ignore[arg-type]
    assert left.link_quality is not None
    assert left.num_edges == 3
    for sender, receiver, found in zip(left.senders, left.receivers, left.link_quality, strict=True):
        assert quality[sender, receiver] == found


def test_links_are_told_by_cosine() -> None:
    network = ring(20)
    held_out = evaluation.hold_out_links(network, 0.2)
    angle = 2 * np.pi * np.arange(20) / 20
    around = np.column_stack([np.cos(angle), np.sin(angle)])
    assert evaluation.link_prediction(around, held_out).auc == 1
    assert evaluation.link_prediction(3 * around, held_out) == evaluation.link_prediction(around, held_out)
    assert evaluation.link_prediction(np.ones((20, 3)), held_out).auc == 0.5


@pytest.mark.parametrize(
    ("network", "share", "message"),
    [
        (small_network(), 1.0, "share: got 1.0"),
        (small_network(), 1e-6, "share: got 1e-06, which takes 0 of"),
        (from_edges([0, 0, 1], [1, 2, 2], np.eye(3)), 0.5, "network: only 0 pairs are not linked"),
    ],
)
def test_links_that_cannot_be_held_out(network: jdgnn.Network, share: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        evaluation.hold_out_links(network, share)


def test_clusters_of_classes_and_of_nothing() -> None:
    network = blocks()
    assert evaluation.clustering(network.features, network).nmi == pytest.approx(1)
    noise = np.random.default_rng(0).normal(size=(60, 4))
    assert evaluation.clustering(noise, network).nmi < 0.2
    assert evaluation.clustering(np.ones((60, 4)), network).ari == 0
    with pytest.raises(InputError, match="has no labels to compare with"):
        evaluation.clustering(np.ones((8, 4)), ring(8))


def test_nearest_neighbours_vote() -> None:
    network = blocks()
    assert network.splits is not None
    assert evaluation.knn_probe(network.features, network).mean == 1
    rng = np.random.default_rng(0)
    vectors = network.features + 0.8 * rng.normal(size=network.features.shape)
    result = evaluation.knn_probe(vectors, network)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = network.labels
    assert labels is not None
    for split in range(2):
        train, test = (np.flatnonzero(mask[split]) for mask in (network.splits.train, network.splits.test))
        k = int(result.setting[split])
        right = 0
        for node in test:
            nearest = sorted(train, key=lambda other: -(unit[node] @ unit[other]))[:k]
            right += np.argmax(np.bincount(labels[nearest], minlength=3)) == labels[node]
        assert result.values[split] == pytest.approx(right / len(test))


def test_few_labels_are_as_many_as_asked_for() -> None:
    network = blocks()
    assert evaluation.few_label_probe(network.features, network, per_class=1, num_splits=3).values.tolist() == [1, 1, 1]
    with pytest.raises(InputError, match="has no labels to predict"):
        evaluation.few_label_probe(np.ones((8, 2)), ring(8))


def test_labels_spread_over_links() -> None:
    halves = np.arange(40) // 20
    senders = [v for v in range(39) if v != 19]
    network = from_edges(senders, np.array(senders) + 1, np.eye(40), labels=halves, undirected=True)
    splits = random_splits(halves, 3, per_class=2, validation=8)
    assert evaluation.label_propagation(network, splits=splits).values.tolist() == [1, 1, 1]
    alone = from_edges([], [], np.eye(40), labels=halves, allow_no_edges=True)
    assert evaluation.label_propagation(alone, splits=splits).mean == 0.5


def test_own_features_stand_beside_as_they_are_or_projected() -> None:
    network, embeddings = small_network(), np.ones((12, 2), np.float32)
    width = network.num_features
    features = network.features.astype(np.float64)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    whole = evaluation.beside_own_features(embeddings, network)
    assert whole.dtype == np.float32
    assert_allclose(whole[:, : 2 + width], np.concatenate([embeddings, unit], axis=1), rtol=1e-6)
    assert_array_equal(whole, evaluation.beside_own_features(embeddings, network, width + 3))
    part = evaluation.beside_own_features(embeddings, network, 2)
    projected = random_projection(network.features, 2, 0).astype(np.float64)
    of_unit = projected / np.linalg.norm(projected, axis=1, keepdims=True)
    assert_allclose(part[:, 2:4], of_unit * np.sqrt(2 / width), rtol=1e-5)
    assert_array_equal(part[:, 4:], whole[:, 2 + width :])


@pytest.mark.parametrize("width", [None, 1, 32])
def test_a_single_own_feature_is_one_column(width: int | None) -> None:
    network = from_edges([0, 1], [1, 0], np.array([[1.0], [3.0]]))
    found = evaluation.beside_own_features(np.zeros((2, 2)), network, width)
    assert_allclose(found[:, 2], [np.sqrt(1 / 3), np.sqrt(9 / 7)])  # √2 of v / √(v² + mean of squares 5)
    assert found.shape == (2, 2 + 1 + 2)


def test_the_degree_stands_beside_as_places_among_powers_of_two() -> None:
    hub = np.zeros(4, int)
    star = from_edges(hub, np.arange(1, 5), np.ones((6, 3)), undirected=True)  # node 5 is alone
    degree = evaluation.beside_own_features(np.ones((6, 1)), star)[:, 4:]
    place = np.log2(5) - 2  # of 1 + 4 between 4 and 8
    assert_allclose(degree[0], np.array([0, 0, 1 - place, place]) / np.hypot(place, 1 - place) / 4, atol=1e-12)
    assert_allclose(degree[1:5], np.tile([0, 0.25, 0, 0], (4, 1)))
    assert_allclose(degree[5], [0.25, 0, 0, 0])
    one_way = from_edges(hub, np.arange(1, 5), np.ones((6, 3)))
    both = evaluation.beside_own_features(np.ones((6, 1)), one_way)[:, 4:]
    assert both.shape == (6, 2 + 4)  # what comes in, 0 or 1, and what goes out, 0 or 4
    assert_allclose(np.linalg.norm(both, axis=1), 0.25)


def test_nodes_without_a_label_are_not_judged() -> None:
    labels = np.array([0, 1] * 20)
    vectors = np.eye(2)[labels]
    labels[:4] = -1
    vectors[:4] = 9.0  # where no cluster would be found
    network = from_edges(np.arange(39), np.arange(1, 40), vectors, labels=labels)
    assert evaluation.clustering(vectors, network).ari == 1.0
    assert evaluation.clustering(vectors, network).num_clusters == 2
    assert evaluation.few_label_probe(vectors, network, per_class=6, num_splits=2).mean == 1.0
    mask = np.arange(40)[None] < 6
    with pytest.raises(InputError, match="splits: node 0 has no label"):
        evaluation.linear_probe(vectors, network, splits=Splits(train=mask, validation=~mask, test=mask & ~mask))
