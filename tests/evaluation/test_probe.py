import dataclasses
import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.evaluation import (
    REGULARISATIONS,
    ProbeResult,
    fitting,
    knn_probe,
    label_propagation,
    linear_probe,
    probe,
    probe_table,
)
from jdgnn.network import Network, Splits, from_edges, random_splits


def labels_of(network: Network) -> NDArray[np.int32]:
    assert network.labels is not None
    return network.labels


def splits_of(network: Network) -> Splits:
    assert network.splits is not None
    return network.splits


def labelled_network(num_classes: int = 3, *, separation: float = 3.0, num_splits: int = 4) -> Network:
    """A ring whose nodes measure their class, with unit noise."""
    labels = np.arange(120) % num_classes
    generator = np.random.default_rng(0)
    features = separation * np.eye(num_classes)[labels] + generator.normal(size=(120, num_classes))
    splits = random_splits(labels, num_splits, per_class=10, validation=30)
    return from_edges(np.arange(119), np.arange(1, 120), features, labels=labels, splits=splits)


def test_separable_classes_are_found_and_noise_is_not() -> None:
    network = labelled_network()
    noise = np.random.default_rng(1).normal(size=(120, 8))
    results = probe_table({"one_hot": np.eye(3)[labels_of(network)], "noise": noise, "own": network.features}, network)
    assert list(results) == ["one_hot", "noise", "own"]
    assert results["one_hot"].mean == 1
    assert 0.2 < results["noise"].mean < 0.5
    assert results["noise"].mean < results["own"].mean < 1


def test_two_classes_are_judged_by_roc_auc_unless_told_otherwise() -> None:
    network = labelled_network(2, separation=1.0)
    by_area, by_share = (
        linear_probe(network.features, network),
        linear_probe(network.features, network, metric="accuracy"),
    )
    assert (by_area.metric, by_share.metric) == ("roc_auc", "accuracy")
    assert by_area.mean > by_share.mean > 0.5
    assert linear_probe(np.eye(2)[1 - labels_of(network)], network).mean == 1


def test_constant_embeddings_are_worth_nothing() -> None:
    assert linear_probe(np.ones((120, 5)), labelled_network(2)).values.tolist() == [0.5] * 4
    assert linear_probe(np.zeros((120, 5)), labelled_network(2)).values.tolist() == [0.5] * 4


def test_what_a_node_knows_weighs_what_the_task_makes_of_it() -> None:
    network = labelled_network()
    one_hot, noise = np.eye(3)[labels_of(network)], np.random.default_rng(1).normal(size=(120, 3))
    knowing = dataclasses.replace(network, features=one_hot)
    misled = linear_probe(noise, knowing, own_features=3)
    assert misled.mean > 0.95
    assert misled.own_weight is not None
    assert (misled.own_weight > 0).all()
    helped = linear_probe(one_hot, dataclasses.replace(network, features=noise), own_features=3)
    assert helped.mean == 1
    assert helped.own_weight is not None
    assert np.isfinite(helped.own_weight).all()
    assert helped.width == 3 + 3 + 2 + 2  # degrees, in and out, are 0 and 1
    alone = linear_probe(one_hot, network)
    assert (alone.own_weight, alone.degree_weight) == (None, None)


def test_degrees_that_tell_the_class_are_read() -> None:
    network = labelled_network()
    hubs = np.flatnonzero(labels_of(network) == 2)
    senders = np.concatenate([np.arange(119), np.repeat(hubs, 5)])
    receivers = np.concatenate([np.arange(1, 120), (np.repeat(hubs, 5) + 7 * np.tile(np.arange(1, 6), 40)) % 120])
    noise = np.random.default_rng(1).normal(size=(120, 4))
    halves = (labels_of(network) == 2).astype(np.int32)
    linked = from_edges(senders, receivers, noise, labels=halves, splits=splits_of(network), undirected=True)
    found = linear_probe(noise, linked, own_features=4, metric="accuracy")
    assert found.mean > 0.9
    assert found.degree_weight is not None
    assert (found.degree_weight > 0).all()
    assert linear_probe(noise, linked, metric="accuracy").mean < 0.75


def test_without_weight_what_a_node_knows_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    network = labelled_network()
    noise = np.random.default_rng(1).normal(size=(120, 3))
    monkeypatch.setattr(fitting, "OWN_WEIGHTS", (0.0,))
    alone = linear_probe(noise, network)
    table = probe_table({"both": noise, "noise": noise}, network, own_features={"both": 3})
    assert_array_equal(table["both"].values, alone.values)
    assert_array_equal(table["both"].own_weight, [0.0] * 4)
    assert table["noise"].own_weight is None


def test_only_columns_that_training_nodes_span_are_fitted_and_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    network = labelled_network(separation=1.0)
    wide = np.random.default_rng(3).normal(size=(120, 200)) + np.repeat(network.features, 67, axis=1)[:, :200]
    reduced = linear_probe(wide, network)
    monkeypatch.setattr(fitting, "_in_span", lambda parts: parts)
    np.testing.assert_allclose(linear_probe(wide, network).values, reduced.values, atol=0.03)


def test_columns_of_own_features_are_a_number() -> None:
    network = labelled_network()
    with pytest.raises(InputError, match="own_features: expected a whole number of at least 0, got -1"):
        linear_probe(network.features, network, own_features=-1)
    with pytest.raises(InputError, match=r"own_features: got 'row'; .*raw"):
        probe_table({"raw": network.features}, network, own_features={"row": 1})


def test_result_says_what_was_measured_and_how_much_it_varies() -> None:
    network = labelled_network()
    result = linear_probe(network.features, network)
    assert result.num_splits == len(result.values) == len(result.setting) == 4
    assert result.mean == pytest.approx(result.values.mean())
    assert result.sd == pytest.approx(np.std(result.values, ddof=1))
    assert result.width == 3
    assert result.num_unconverged == 0
    assert (
        repr(result) == f"ProbeResult(accuracy {100 * result.mean:.1f} ± {100 * result.sd:.1f} over 4 splits, width 3)"
    )


def test_a_single_split_has_no_spread() -> None:
    network = labelled_network(num_splits=1)
    result = linear_probe(network.features, network)
    assert (result.sd, result.num_splits) == (0.0, 1)
    assert repr(result) == f"ProbeResult(accuracy {100 * result.mean:.1f} on one split, width 3)"


def test_values_repeat_bit_for_bit() -> None:
    network = labelled_network(separation=1.0)
    first, again = (linear_probe(network.features, network) for _ in range(2))
    np.testing.assert_array_equal(first.values, again.values)
    np.testing.assert_array_equal(first.setting, again.setting)


def test_only_the_direction_of_a_vector_is_read() -> None:
    network = labelled_network(separation=1.0)
    lengths = np.random.default_rng(2).uniform(1e-6, 1e6, (120, 1))
    scaled, plain = linear_probe(network.features * lengths, network), linear_probe(network.features, network)
    np.testing.assert_allclose(scaled.values, plain.values, atol=0.02)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_single_column_is_read_by_its_value(scale: float) -> None:
    network = labelled_network()
    result = linear_probe(scale * (1.0 + labels_of(network)[:, None]), network)
    assert result.width == 1
    assert result.mean == 1


def test_only_train_nodes_are_learned_from_and_only_test_nodes_count() -> None:
    network = labelled_network()
    splits = splits_of(network)
    one = Splits(train=splits.train[:1], validation=splits.validation[:1], test=splits.test[:1])
    wrong = np.where(one.test[0], (labels_of(network) + 1) % 3, labels_of(network)).astype(np.int32)
    result = linear_probe(np.eye(3)[labels_of(network)], dataclasses.replace(network, labels=wrong), splits=one)
    assert result.values.tolist() == [0.0]


def test_of_regularisations_that_tie_the_middle_one_is_chosen() -> None:
    network = labelled_network()
    found = linear_probe(np.eye(3)[labels_of(network)], network)
    middles = REGULARISATIONS[len(REGULARISATIONS) // 2 - 1 : len(REGULARISATIONS) // 2 + 1]
    assert set(found.setting) <= set(middles)
    assert found.num_at_edge == 0


def test_a_choice_at_an_edge_of_the_grid_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    network = labelled_network(separation=1.0)
    assert linear_probe(network.features, network).num_at_edge == 0
    monkeypatch.setattr(fitting, "REGULARISATIONS", (1e-6, 1e-5, 3.0))
    scores = iter([0.5, 0.1, 0.5, 0.2, 0.6, 0.3] * 4)  # on validation and on test nodes, by setting
    monkeypatch.setattr(fitting, "_score", lambda *_: next(scores))
    found = linear_probe(network.features, network)
    assert found.setting.tolist() == [3.0] * 4
    assert found.values.tolist() == [0.3] * 4
    assert found.num_at_edge == 4
    assert repr(found).endswith(", C at the edge of its grid in 4 splits)")


def test_parts_of_a_split_that_overlap_are_refused_wherever_they_come_from() -> None:
    network = labelled_network()
    splits = splits_of(network)
    known = dataclasses.replace(splits, test=splits.test | splits.train)
    message = r"splits: node \d+ stands in two parts of split 0; each node may be in one at most"
    with pytest.raises(InputError, match=message):
        linear_probe(network.features, network, splits=known)
    for probe_of in (linear_probe, knn_probe):
        with pytest.raises(InputError, match=message):
            probe_of(network.features, dataclasses.replace(network, splits=known))
    with pytest.raises(InputError, match=message):
        label_propagation(dataclasses.replace(network, splits=known))


def test_arrays_of_accelerators_are_taken() -> None:
    network = labelled_network()
    embeddings = jnp.asarray(network.features, jnp.bfloat16)
    assert linear_probe(embeddings, network).mean > 0.8


def test_splits_given_replace_those_of_the_network() -> None:
    network = labelled_network()
    splits = random_splits(labels_of(network), 2, per_class=5, validation=20, seed=1)
    assert linear_probe(network.features, network, splits=splits).num_splits == 2
    bare = dataclasses.replace(network, splits=None)
    np.testing.assert_array_equal(
        linear_probe(network.features, bare, splits=splits).values,
        linear_probe(network.features, network, splits=splits).values,
    )


def test_fits_that_do_not_converge_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "_MAX_ITERATIONS", 1)
    network = labelled_network()
    result = linear_probe(network.features, network)
    assert 0 < result.num_unconverged <= 4 * len(REGULARISATIONS)
    assert repr(result).endswith(f", {result.num_unconverged} fits unconverged)")


def test_other_warnings_of_a_fit_get_through() -> None:
    class Classifier:
        def fit(self, *_: Any) -> None:
            warnings.warn("something else", UserWarning, stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with pytest.warns(UserWarning, match="something else"):
            fitting.fit_in_place(Classifier(), np.ones((1, 1)), np.ones(1, np.int32))


EMBEDDINGS_REFUSED: dict[str, tuple[Any, str]] = {
    "flat": (np.ones(120), r"embeddings: .*got shape \(120,\)"),
    "other nodes": (np.ones((119, 3)), r"embeddings: .*got shape \(119, 3\)"),
    "no columns": (np.ones((120, 0)), r"embeddings: .*got shape \(120, 0\)"),
    "words": ([["a"]] * 120, "embeddings: not an array of real numbers"),
    "ragged": ([[1.0], [1.0, 2.0]], "embeddings: not an array of real numbers"),
    "complex": (np.full((120, 2), 1j), "embeddings: not an array of real numbers"),
    "not finite": (np.full((120, 2), np.nan), "embeddings: 240 entries are not finite, the first is nan at node 0"),
}


@pytest.mark.parametrize("case", EMBEDDINGS_REFUSED)
def test_embeddings_that_do_not_fit_are_refused(case: str) -> None:
    embeddings, message = EMBEDDINGS_REFUSED[case]
    with pytest.raises(InputError, match=message):
        linear_probe(embeddings, labelled_network())


def test_a_table_names_the_embedding_that_does_not_fit_before_it_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_probe", lambda *_: pytest.fail("probed"))
    network = labelled_network()
    with pytest.raises(InputError, match=r"embeddings\['learned'\]: .*got shape"):
        probe_table({"raw": network.features, "learned": np.ones((2, 2))}, network)


def test_labels_and_splits_are_needed() -> None:
    network = labelled_network()
    with pytest.raises(InputError, match="network: 'network' has no labels"):
        linear_probe(network.features, dataclasses.replace(network, labels=None))
    with pytest.raises(InputError, match=r"splits: 'network' has none; write splits=jdgnn\.network\.random_splits"):
        linear_probe(network.features, dataclasses.replace(network, splits=None))


@pytest.mark.parametrize(
    ("num_classes", "metric", "message"),
    [
        (3, "roc_auc", "metric: got 'roc_auc', and there are 3 classes"),
        (2, "acuracy", "metric: got 'acuracy'; .* did you mean 'accuracy'"),
    ],
)
def test_metrics_that_make_no_sense_are_refused(num_classes: int, metric: str, message: str) -> None:
    network = labelled_network(num_classes)
    with pytest.raises(InputError, match=message):
        linear_probe(network.features, network, metric=metric)


@pytest.mark.parametrize(
    ("num_classes", "part", "keep", "message"),
    [
        (3, "train", [True, False, True], "splits.train: split 1 has no node of class 1"),
        (3, "validation", [False] * 3, "splits.validation: split 1 has no nodes"),
        (3, "test", [False] * 3, "splits.test: split 1 has no nodes"),
        (2, "test", [False, True], "splits.test: split 1 has no node of class 0"),
        (2, "validation", [True, False], "splits.validation: split 1 has no node of class 1"),
    ],
)
def test_splits_that_cannot_be_used_are_refused(num_classes: int, part: str, keep: list[bool], message: str) -> None:
    network = labelled_network(num_classes)
    masks = {name: getattr(splits_of(network), name).copy() for name in ("train", "validation", "test")}
    masks[part][1] &= np.array(keep)[labels_of(network)]
    with pytest.raises(InputError, match=message):
        linear_probe(network.features, network, splits=Splits(**masks))


def test_splits_of_another_network_are_refused() -> None:
    network = labelled_network()
    splits = random_splits(np.arange(50) % 3, 2, per_class=3)
    with pytest.raises(InputError, match=r"splits.train: .*got bool \(2, 50\)"):
        linear_probe(network.features, network, splits=splits)


def test_one_class_is_nothing_to_predict() -> None:
    network = labelled_network()
    with pytest.raises(InputError, match="all nodes of split 0 are of class 0"):
        linear_probe(network.features, dataclasses.replace(network, labels=np.zeros(120, np.int32)))


def test_results_cannot_be_changed() -> None:
    result = linear_probe(np.eye(3)[np.arange(120) % 3], labelled_network())
    assert isinstance(result, ProbeResult)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.width = 4  # type: ignore[misc]
