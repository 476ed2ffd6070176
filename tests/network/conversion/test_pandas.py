"""Networks from and to pandas."""

from typing import Any

import numpy as np
import pandas
import pytest

from jdgnn.errors import InputError
from jdgnn.network import from_edges, from_pandas, to_pandas
from tests.network.five import assert_same, five


@pytest.mark.parametrize("num_splits", [1, 3])
def test_round_trip_loses_nothing(num_splits: int) -> None:
    network = five(num_splits)
    assert_same(from_pandas(*to_pandas(network), name="five"), network, "feature_names", "notes")


def test_round_trip_of_a_plain_network() -> None:
    network = from_edges([0, 1], [1, 2], np.eye(3), labels=[0, 1, 0])
    assert_same(from_pandas(*to_pandas(network)), network, "feature_names", "notes")
    assert to_pandas(from_pandas(*to_pandas(network)))[1].columns.tolist() == ["id", "label", "x0", "x1", "x2"]


def _frames(**changes: Any) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    edges = pandas.DataFrame({"source": [10, 20], "target": [20, 30]})
    nodes = pandas.DataFrame({"id": [10, 20, 30], "load": [1, 2, 3], **changes}, index=[5, 5, 5])
    return edges, nodes


def test_columns_of_any_kind_of_number() -> None:
    network = from_pandas(*_frames(up=[True, False, True], load2=pandas.array([1, 2, 3], "Int64")), undirected=True)
    assert network.features.tolist() == [[1, 1, 1], [2, 0, 2], [3, 1, 3]]
    assert network.features.dtype == np.float64  # whole numbers are narrowed last
    assert from_pandas(*_frames(load=[True, False, True])).features.dtype == np.float32
    assert network.node_names == ("10", "20", "30")
    assert network.num_edges == 4


def test_classes_that_are_no_numbers_from_0_get_names() -> None:
    assert from_pandas(*_frames(label=[2010, 2007, 2010])).class_names == ("2007", "2010")
    categorical = pandas.Categorical(["slow", "fast", "slow"], categories=["slow", "fast"])
    network = from_pandas(*_frames(label=categorical))
    assert network.labels is not None
    assert (network.class_names, network.labels.tolist()) == (("slow", "fast"), [0, 1, 0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"load": ["a", "b", "c"]}, r"nodes: these columns are texts: load \(3 different\); write text = 'onehot'"),
        ({"load": [1.0, None, 2.0]}, r"nodes: values are missing: load \(1 of 3, first row 1\)"),
        ({"load": pandas.array([1, None, 2], "Int64")}, r"nodes: values are missing: load \(1 of 3, first row 1\)"),
        ({"id": [10.0, float("nan"), 20.0]}, r"nodes: id: expected an id for every node, got an empty cell \(row 1\)"),
        ({"id": [10, 20, 10]}, r"nodes: id: expected each id once, got '10' \(row 2\); edges|nodes: id: .* \(row 2\)"),
        (
            {"label": [0.5, 1.5, 0.5]},
            r"nodes: label: expected whole numbers or texts as classes, got 0.5 \(row 0\), 1.5",
        ),
        (
            {"label": [1, -1, 1]},
            r"nodes: label: expected whole numbers from 0 as classes, got -1 \(row 1\); if -1 is a",
        ),
        (
            {"split": ["train", "tset", "test"]},
            r"nodes: split: expected train, validation, test, .* got 'tset' \(row 1\)",
        ),
        ({"split": ["train", "train", None]}, "nodes: split has no node for test"),
    ],
)
def test_unfit_frames_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_pandas(*_frames(**changes))


def test_unknown_nodes_and_columns_are_refused() -> None:
    edges, nodes = _frames()
    with pytest.raises(InputError, match=r"edges: target: expected ids that nodes has, got '31' \(row 1\)"):
        from_pandas(edges.replace(30, 31), nodes)
    assert from_pandas(edges.replace(30, 31), nodes, unknown="drop").num_edges == 1
    with pytest.raises(InputError, match="edges: there is no column 'from'"):
        from_pandas(edges, nodes, source="from")
    with pytest.raises(InputError, match=r"nodes: .*got list"):
        from_pandas(edges, [])


def test_weights_are_used_where_they_are_named_and_told_elsewhere() -> None:
    edges, nodes = _frames()
    edges = edges.assign(weight=[0.25, 0.75])
    told = from_pandas(edges, nodes)
    assert told.link_quality is None
    assert told.notes[-1].startswith("not read of links: weight; write link_quality")
    used = from_pandas(edges, nodes, link_quality="weight").link_quality
    assert used is not None
    assert used.tolist() == [0.25, 0.75]
    with pytest.raises(InputError, match=r"edges: weight: expected probabilities from 0 to 1, got 25.0 \(row 0\)"):
        from_pandas(edges.assign(weight=[25, 1]), nodes, link_quality="weight")


def test_nodes_without_a_label_are_unlabelled() -> None:
    for given in ([0.0, None, 1.0], [0, -1, 1], ["0", "?", "1"]):
        network = from_pandas(*_frames(label=given))
        assert network.labels is not None
        assert network.labels.tolist() == [0, -1, 1]


def test_ids_are_never_missing_and_whole_numbers_in_any_type() -> None:
    edges = pandas.DataFrame({"source": ["NA", "nan"], "target": ["nan", "null"]})
    nodes = pandas.DataFrame({"id": ["NA", "nan", "null"], "x": [1.5, 2.5, 1.5]})
    assert from_pandas(edges, nodes).node_names == ("NA", "nan", "null")
    large = pandas.DataFrame({"source": [2.0**53], "target": [1.0]})
    with pytest.raises(InputError, match=r"expected ids as texts or whole numbers, got 9007199254740992\.0, a float"):
        from_pandas(large, features="one")
    with pytest.raises(InputError, match="source: expected ids that nodes has"):
        from_pandas(large, pandas.DataFrame({"id": [2**53, 1], "x": [1, 2]}))
    edges, nodes = _frames()
    assert from_pandas(edges.astype(float), nodes).senders.tolist() == [0, 1]
    assert from_pandas(edges.astype(str), nodes.astype({"id": float})).node_names == ("10", "20", "30")


def test_round_trip_of_classes_without_names_and_nodes_without_classes() -> None:
    network = from_edges([0, 1], [1, 2], np.eye(3), labels=[0, -1, 1])
    edges, nodes = to_pandas(network)
    assert nodes["label"].isna().tolist() == [False, True, False]
    assert_same(from_pandas(edges, nodes), network, "feature_names", "notes")
