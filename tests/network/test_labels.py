"""Labels as people write them, in every reader: which nodes have none, and what the classes are called."""

from typing import Any

import numpy as np
import pandas
import pytest

from jdgnn.errors import InputError
from jdgnn.network import Splits, from_edges, random_splits
from jdgnn.network.labels import are_display_names, labels_of
from jdgnn.network.problems import Problems


@pytest.mark.parametrize(
    ("given", "numbers", "names"),
    [
        (["b", "", "a", "NA", " nan ", "?", "NaN"], [1, -1, 0, -1, -1, -1, -1], ("a", "b")),
        (["1", "-1", "0", ""], [1, -1, 0, -1], ()),
        (["1.0", "", "0.0"], [1, -1, 0], ()),
        ([1.0, np.nan, 0.0], [1, -1, 0], ()),
        (np.array([2, -1, 0]), [1, -1, 0], ("0", "2")),
        (["10", "9", None], [1, 0, -1], ("9", "10")),
        (["v1.5", "7"], [1, 0], ("7", "v1.5")),
        ([True, False], [1, 0], ("False", "True")),
        (pandas.Series(["b", None, "a"], dtype="category").cat.set_categories(["b", "a"]), [0, -1, 1], ("b", "a")),
        (pandas.Series(["?", "b"], dtype="category"), [-1, 0], ("b",)),
        (pandas.array([1, None, 0], dtype="Int64"), [1, -1, 0], ()),
    ],
)
def test_labels_and_nodes_without_one(given: Any, numbers: list[int], names: tuple[str, ...]) -> None:
    problems = Problems("nodes")
    found = labels_of(given, problems)
    assert not problems.found
    assert found.numbers is not None
    assert (found.numbers.tolist(), found.class_names) == (numbers, names)


@pytest.mark.parametrize("given", [[1, -1, 1], ["a", "-1"], [-2, 0], [0.5, 1], [-1, -1], ["2.4", "5"], [object(), "a"]])
def test_labels_that_could_mean_two_things_are_refused(given: list[Any]) -> None:
    problems = Problems("nodes")
    labels_of(given, problems)
    with pytest.raises(InputError, match=r"nodes: label: expected .* as classes.*, got .* \(row \d\)"):
        problems.reject()


def test_minus_one_that_may_be_a_class_names_both_ways_out() -> None:
    for given in ([1, -1, 1], [1.0, -1.0, 1.0]):
        with pytest.raises(
            InputError, match=r"labels: got -1 at node 1.*if -1 is a class.*; if it means that there is no"
        ):
            from_edges([0, 1], [1, 2], np.eye(3), labels=given)


def test_nodes_without_a_label_take_part_and_stand_in_no_split() -> None:
    masks = Splits(
        train=np.array([[1, 0, 0, 0]], bool), validation=np.zeros((1, 4), bool), test=np.array([[0, 1, 1, 1]], bool)
    )
    network = from_edges([0, 1], [1, 2], np.eye(4), labels=[0, np.nan, 1, -1], splits=masks)
    assert network.labels is not None
    assert network.splits is not None
    assert network.labels.tolist() == [0, -1, 1, -1]
    assert network.splits.test.tolist() == [[False, False, True, False]]
    assert network.notes == (
        "2 of 4 nodes have no label: they take part, and stand in no split (2 were taken out of splits)",
    )
    assert from_edges([0], [1], np.eye(2), labels=[np.nan, np.nan]).labels is None
    labels = np.array([0, 1, -1] * 10)
    splits = random_splits(labels, 3, per_class=2, validation=4)
    assert not (splits.train | splits.validation | splits.test)[:, 2::3].any()
    assert splits.test.sum(axis=1).tolist() == [12, 12, 12]


def test_display_names_are_texts_that_all_differ() -> None:
    assert are_display_names(["Ann", "Bob", "", "Cy"])
    assert not are_display_names(["1", "2", "3"])
    assert not are_display_names(["a", "b"])
