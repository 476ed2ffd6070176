"""Columns of a table as features: which ones, and what is encoded, filled, left out and told."""

import datetime
from typing import Any

import numpy as np
import pandas
import pytest

from jdgnn.errors import InputError
from jdgnn.network.columns import Features, Roles, checked_roles, features_of
from jdgnn.network.labels import Labels
from jdgnn.network.problems import Problems


def _features(columns: dict[str, Any], labels: Labels | None = None, **roles: Any) -> Features:
    problems = Problems("nodes")
    found = features_of(pandas.DataFrame(columns), checked_roles(Roles(**roles)), problems, labels)
    problems.reject()
    assert found is not None
    assert found.values.shape[1] == len(found.names)
    return found


def test_numbers_truths_and_times_are_numbers() -> None:
    times = ["2024-01-01T00:00:00+0000", "2024-01-01", "2024-01-01 00:01"]
    found = _features(
        {
            "load": ["0.1", " 2e-1 ", "3"],
            "up": ["true", "False", "TRUE"],
            "seen": times,
            "made": pandas.to_datetime(pandas.Series(["2024-01-01", "2024-01-02", None])),
            "age": [datetime.timedelta(minutes=1)] * 3,
            "count": pandas.array([1, 2, None], dtype="Int64"),
        },
        missing="zero",
    )
    assert found.names == ("load", "up", "seen", "made", "age", "count")
    first = 1704067200.0
    assert found.values.tolist() == [
        [0.1, 1, first, first, 60, 1],
        [0.2, 0, first, first + 86400, 60, 2],
        [3, 1, first + 60, 0, 60, 0],
    ]
    assert found.notes == (
        "features: load, up, seen (time, in seconds), made (time, in seconds), age (time, in seconds), count",
        "filled by 0: made (1 of 3), count (1 of 3)",
    )


@pytest.mark.parametrize(
    ("missing", "values"),
    [
        ("mean", [[1.0, 0.5, 0.5], [2.0, 1.0, 0.0], [3.0, 0.0, 1.0]]),
        ("zero", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [3.0, 0.0, 1.0]]),
        ("indicator", [[1.0, 0.0, 0.5, 0.5, 1.0], [2.0, 1.0, 1.0, 0.0, 0.0], [3.0, 0.0, 0.0, 1.0, 0.0]]),
    ],
)
def test_gaps_are_filled_as_asked(missing: str, values: list[list[float]]) -> None:
    found = _features({"x": ["1", "", "3"], "m": ["?", "a", "b"]}, text="onehot", missing=missing)
    assert found.values.tolist() == values
    if missing == "indicator":
        assert found.names == ("x", "x is missing", "m=a", "m=b", "m is missing")


def test_times_of_any_year_are_read_and_what_is_none_is_refused() -> None:
    found = _features({"seen": ["0001-01-01", "9999-12-31", "2024-01-01"]})
    assert found.values.ravel().tolist() == [-62135596800, 253402214400, 1704067200]
    for cells in ([datetime.time(12)] * 3, [datetime.timedelta(1), datetime.datetime(2024, 1, 1), None]):
        with pytest.raises(InputError, match=r"nodes: t: expected dates that exist, or durations alone, got"):
            _features({"t": cells}, missing="mean")


def test_columns_are_chosen_by_names_and_patterns() -> None:
    columns = {"w1": [1, 2, 1], "w2": [3, 3, 1], "x": [5, 5, 6], "t": ["a", "a", "b"]}
    found = _features(columns, features=["w*", "x"], ignore="w2")
    assert found.names == ("w1", "x")
    assert found.notes == ("features: w1, x", "not features: w2, t")
    with pytest.raises(InputError, match=r"features: there is no column 'v\*'.*; ignore: there is no column 'z'"):
        _features(columns, features=["v*", "x"], ignore="z")


def test_what_is_no_number_is_left_out_and_told() -> None:
    columns = {"x": [1, 1, 2], "name": ["a", "b", "c"], "none": ["", None, "nan"], "many": [[1], [2], [3]]}
    told = _features(columns, text="ignore").notes
    assert "not features: name (text, 3 different), none (empty), many (lists)" in told
    for most in (2, 20):
        assert _features(columns, text="onehot", max_categories=most).names == ("x",)
    with pytest.raises(InputError, match=r"name has 3 different texts, more than max_categories = 2"):
        _features(columns, features=["x", "name"], text="onehot", max_categories=2)


def test_everything_that_is_wrong_is_one_error() -> None:
    columns = {
        "x": ["1", "", "3", "4"],
        "y": ["1", "2", "3,5", "inf"],
        "z": [0, 1, 2, np.inf],
        "t": ["a", "b", "a", "b"],
    }
    with pytest.raises(
        InputError,
        match=r"nodes: y: expected numbers, got '3,5' \(row 2\); correct them, .*; y: expected finite .*;"
        r" z: expected finite numbers, got inf \(row 3\); these columns are texts: t \(2 different\); .*; values are "
        r"missing: x \(1 of 4, first row 1\); write missing = 'mean'",
    ):
        _features(columns)


def test_columns_that_look_like_something_else_are_told() -> None:
    labels = Labels(np.array([0, 1, 0, -1], np.int32), ("a", "b"))
    columns = {
        "kind": ["p", "q", "p", "q"],
        "code": [7, 5, 7, 1],
        "fold": [1, 1, 2, 2],
        "Unnamed: 0": [0, 1, 2, 3],
        "load": [0.5, 0.25, 0.125, 1],
        "train_mask": [True, True, False, False],
        "up": [1, 1, 0, 1],
        "mac": [2**53 + 1, 2**53, 5, 5],
    }
    told = [note for note in _features(columns, labels, text="onehot").notes if note.startswith("look at")]
    assert [note.partition(";")[0] for note in told] == [
        "look at kind, code: the same as the label up to names, which gives the answer away",
        "look at fold, Unnamed: 0, train_mask: called like a label, a split or a row number",
        "look at Unnamed: 0: different at every node, as an identifier is",
        "look at mac: whole numbers from 2**53 on, of which only about 16 digits are kept",
    ]


def test_numbers_of_classes_are_told_where_no_label_is_known() -> None:
    columns = {"dep": [0, 1, 2, 2, 1, 0], "is_up": [0, 1, 1, 0, 1, 0], "load": [0, 1, 2, 3, 3, 5]}
    last = "look at dep: whole numbers 0, 1, …, as classes are; for one, write label = '...'"
    assert _features(columns).notes[-1] == last
    assert last not in _features(columns, Labels(np.zeros(6, np.int32))).notes


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"text": "one-hot"}, r"text: got 'one-hot'; allowed: .* did you mean 'onehot'"),
        ({"missing": "median"}, r"missing: got 'median'"),
        ({"max_categories": 1}, r"max_categories: .*got 1"),
        ({"features": [1]}, r"features: expected names of columns"),
        ({"ignore": 3}, r"ignore: expected names of columns"),
    ],
)
def test_unfit_roles_are_refused(roles: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        checked_roles(Roles(**roles))
