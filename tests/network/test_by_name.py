"""Rows go by name wherever their names are known."""

from typing import Any

import numpy as np
import pandas
import pytest

from jdgnn.errors import InputError
from jdgnn.network import Network, Splits, from_edges, random_splits

NAMES = ("7", "3", "9", "0")


def network(features: Any, node_names: tuple[str, ...] = NAMES, **others: Any) -> Network:
    return from_edges([0, 1, 2], [1, 2, 3], features, node_names=node_names, **others)


@pytest.mark.parametrize("index", [["0", "3", "7", "9"], [0, 3, 7, 9], [0.0, 3.0, 7.0, 9.0], ["0", "3", "7.0", "9"]])
def test_rows_of_data_frames_and_series_go_by_name(index: list[Any]) -> None:
    frame = pandas.DataFrame({"load": [0.0, 3.0, 7.0, 9.0], "twice": [0, 6, 14, 18]}, index=index)
    labels = pandas.Series([0, 0, 1, 1], index=index)
    found = network(frame, labels=labels)
    assert found.features.tolist() == [[7, 14], [3, 6], [9, 18], [0, 0]]
    assert found.feature_names == ("load", "twice")
    assert found.labels is not None
    assert found.labels.tolist() == [1, 0, 1, 0]


def test_an_index_that_is_none_says_nothing_and_one_in_another_order_does() -> None:
    frame = pandas.DataFrame({"x": [1.0, 2.0, 3.0]})
    plain = from_edges([0, 1], [1, 2], frame)
    shuffled = from_edges([0, 1], [1, 2], frame.iloc[[2, 0, 1]])
    assert plain.features.tolist() == shuffled.features.tolist() == [[1], [2], [3]]
    assert from_edges([0, 1], [1, 2], frame, node_names=("a", "b", "c")).features.tolist() == [[1], [2], [3]]


def test_all_names_that_do_not_fit_are_listed() -> None:
    frame = pandas.DataFrame({"x": np.arange(5.0)}, index=["7", "3", "3", "x", "y"])
    with pytest.raises(InputError, match="unknown: 'x', 'y'; missing: '9', '0'; there twice or more: '3'"):
        network(frame)
    with pytest.raises(InputError, match=r"labels: its index: .* missing: '0'; .* write .to_numpy\(\)"):
        network(np.eye(4), labels=pandas.Series([0, 0, 1], index=["7", "3", "9"]))
    with pytest.raises(InputError, match="unknown: 5; missing: '1'"):
        from_edges([0, 1], [1, 2], pandas.DataFrame({"x": np.arange(3.0)}, index=[0, 5, 2]))


PARTS = {"3": "train", "9": "test", "0": "validation"}


@pytest.mark.parametrize(
    "splits",
    [
        PARTS,
        {int(name): part for name, part in PARTS.items()},
        pandas.Series(PARTS),
        pandas.Series({**PARTS, "7": None}),
        pandas.DataFrame({"split_0": pandas.Series(PARTS)}),
        {"train": ["3"], "test": [9], "validation": {"0"}},
    ],
)
def test_splits_go_by_name(splits: Any) -> None:
    found = network(np.eye(4), splits=splits).splits
    assert isinstance(found, Splits)
    assert found.train.tolist() == [[False, True, False, False]]
    assert found.validation.tolist() == [[False, False, False, True]]
    assert found.test.tolist() == [[False, False, True, False]]


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"3": "train", "4": "test", "5": "test"}, "splits: no node has the name '4', '5'; the nodes are called '7'"),
        ({"train": "37", "test": "9"}, "splits: no node has the name '37'"),
        ({"3": "train", "9": "tset"}, "splits: expected train, validation, test, or nothing, got 'tset'"),
        ({"train": ["3", 3], "test": ["9"]}, "splits: expected each node once, got more of '3'"),
        ({"train": ["3"], "test": ["3"]}, "splits: expected each node once, got more of '3'"),
    ],
)
def test_unfit_splits_are_refused(splits: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        network(np.eye(4), splits=splits)


def test_columns_of_a_frame_that_look_like_something_else_are_told() -> None:
    frame = pandas.DataFrame({"id": [4, 3, 2, 1], "class": [0, 1, 0, 1], "load": [0.5, 0.25, 0.25, 0.5]})
    assert from_edges([0], [1], frame, labels=[1, 0, 1, -1]).notes[1:] == (
        "look at class: the same as the label up to names, which gives the answer away",
        "look at class: called like a label, a split or a row number",
        "look at id: different at every node, as an identifier is",
    )
    assert from_edges([0], [1], frame.to_numpy()).notes == ()


def test_names_have_no_blanks_around_them() -> None:
    """Names that are looked up have none, so that ' a' would be the node a."""
    for names in ((" a", "a"), ("a", "")):
        with pytest.raises(InputError, match="node_names: expected names without blanks around them, got '"):
            from_edges([0], [1], np.eye(2), node_names=names)


def test_random_splits_are_in_the_order_of_the_network() -> None:
    labels = pandas.Series([0, 1, 0, 1], index=list("abcd"))
    with pytest.raises(InputError, match=r"labels: expected them in the order of the nodes, as network\.labels"):
        random_splits(labels, 1, train=1, validation=1)
    assert random_splits(labels.reset_index(drop=True), 1, train=1, validation=1).num_splits == 1
