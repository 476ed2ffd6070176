"""A name means the same node everywhere, and all that is wrong with names is one error."""

from typing import Any

import numpy as np
import pandas
import pytest

from jdgnn.errors import InputError
from jdgnn.network.identifiers import Identifiers, identifier, named


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        (np.int64(1), "1"),
        (np.float32(1), "1"),
        ("1", "1"),
        (" 1 ", "1"),
        ("1.0", "1.0"),  # which may be a name beside "1"; looking it up finds "1" where that is the only one
        (1.5, "1.5"),
        ("NA", "NA"),  # identifiers are never read as missing
        ("nan", "nan"),
        (float("nan"), ""),
        (2.0**53, "9.0071992547409920e+15"),
        (None, ""),
        (pandas.NA, ""),
        ("", ""),
    ],
)
def test_numbers_and_texts_are_the_same_name(value: Any, text: str) -> None:
    assert identifier(value) == text


def test_names_that_are_numbers_are_no_rows() -> None:
    nodes = Identifiers(("10", "1", "2"), 3)
    for given in (["1", "2", "10"], [1, 2, 10], np.array([1.0, 2.0, 10.0]), ("1.0", "2.0", "10.00")):
        assert nodes.rows("here", given).tolist() == [1, 2, 0]
    with pytest.raises(InputError, match="here: no node has the name 0; the nodes are called '10', '1', '2'"):
        nodes.rows("here", [0, 1])


def test_nodes_without_names_are_called_by_their_numbers() -> None:
    nodes = Identifiers((), 3)
    assert nodes.rows("here", ["2", 0, 1.0, 1]).tolist() == [2, 0, 1, 1]
    with pytest.raises(InputError, match="no node has the name 3, 'ann', -1; the nodes have no names"):
        nodes.rows("here", [3, 0, "ann", -1, 3])


def test_what_two_nodes_could_be_called_is_nobody() -> None:
    nodes = Identifiers(("1", "1.0", "2.0", "2.00"), 4)
    assert nodes.rows("here", ["1", "1.0", 1]).tolist() == [0, 1, 0]
    with pytest.raises(InputError, match="no node has the name 2"):
        nodes.rows("here", [2])


def test_a_table_is_brought_into_the_order_of_the_nodes() -> None:
    nodes, table = Identifiers(("c", "a", "b"), 3), np.array([10, 20, 30])
    assert table[nodes.order("here", ["a", "b", "c"])].tolist() == [30, 10, 20]


def test_all_wrong_names_are_one_error() -> None:
    nodes = Identifiers(tuple("abcdef"), 6)
    with pytest.raises(InputError) as rejected:
        nodes.order("features", ["a", "x", "b", "a", "y", "x", float("nan")])
    assert str(rejected.value) == (
        "features: expected each node once, by its name; unknown: 'x', 'y', nan; missing: 'c', 'd', 'e', 'f'; there "
        "twice or more: 'a'; the nodes are called 'a', 'b', 'c' and 3 more"
    )


def test_a_long_list_is_cut() -> None:
    assert named(range(15)).endswith(", 11 and 3 more")
    assert named("ab") == "'a', 'b'"
