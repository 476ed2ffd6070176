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
    assert_same(from_pandas(*to_pandas(network), name="five"), network)


def test_round_trip_of_a_plain_network() -> None:
    network = from_edges([0, 1], [1, 2], np.eye(3), labels=[0, 1, 0])
    assert_same(from_pandas(*to_pandas(network)), network)


def _frames(**changes: Any) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    edges = pandas.DataFrame({"source": [10, 20], "target": [20, 30]})
    nodes = pandas.DataFrame({"id": [10, 20, 30], "load": [1, 2, 3], **changes}, index=[5, 5, 5])
    return edges, nodes


def test_columns_of_any_kind_of_number() -> None:
    network = from_pandas(*_frames(up=[True, False, True], load2=pandas.array([1, 2, 3], "Int64")), undirected=True)
    assert network.features.tolist() == [[1, 1, 1], [2, 0, 2], [3, 1, 3]]
    assert network.features.dtype == np.float32
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
        ({"load": ["a", "b", "c"]}, "nodes: row 0: load is 'a', and a number is needed"),
        ({"load": [1.0, None, 2.0]}, "nodes: row 1: load is nan, and a finite number"),
        ({"load": pandas.array([1, None, 2], "Int64")}, "nodes: row 1: load is nothing, and a finite number"),
        ({"when": pandas.to_datetime(["2020-01-01"] * 3)}, "nodes: row 0: when is"),
        ({"id": [10.0, 20.0, 30.0]}, "nodes: row 0: id is the number 10.0"),
        ({"id": [10, 20, 10]}, "nodes: row 0: node '10' stands there again"),
        ({"label": [0.5, 1.5, 0.5]}, "nodes: row 0: label is 0.5, and classes are whole numbers or texts"),
        ({"label": ["a", None, "b"]}, "nodes: row 1: label is nothing"),
        ({"split": ["train", "tset", "test"]}, "nodes: row 1: split is 'tset', and train, validation, test"),
        ({"split": ["train", "train", None]}, "nodes: split has no node for test"),
    ],
)
def test_unfit_frames_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_pandas(*_frames(**changes))


def test_unknown_nodes_and_columns_are_refused() -> None:
    edges, nodes = _frames()
    with pytest.raises(InputError, match="edges: row 1: target is '31', and nodes has no such node"):
        from_pandas(edges.replace(30, 31), nodes)
    with pytest.raises(InputError, match="edges: nothing reads the column 'weight'"):
        from_pandas(edges.assign(weight=1.0), nodes)
    with pytest.raises(InputError, match="edges: there is no column 'from'"):
        from_pandas(edges, nodes, sender="from")
    with pytest.raises(InputError, match="nodes: got list"):
        from_pandas(edges, [])
