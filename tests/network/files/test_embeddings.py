"""Embeddings in files, and back."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

import jdgnn
from jdgnn.errors import InputError
from jdgnn.network import from_edges
from jdgnn.network.files import Embeddings
from tests.network.five import five

VECTORS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32) / 3


def _assert_same(found: Embeddings, wanted: Embeddings) -> None:
    for one, another in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, another)
        assert getattr(one, "dtype", None) == getattr(another, "dtype", None)


@pytest.mark.parametrize("suffix", ["npz", "csv", "parquet", "CSV"])
def test_round_trip(suffix: str, tmp_path: Path) -> None:
    network = five()
    path = tmp_path / f"embeddings.{suffix}"
    jdgnn.write_embeddings(path, VECTORS, network)
    found = jdgnn.read_embeddings(path)
    assert network.labels is not None
    if suffix.lower() == "csv":  # whose classes are in alphabetical order
        assert found.class_names == ("accesspoint", "router")
        assert found.labels is not None
        found = found._replace(class_names=network.class_names, labels=np.array([1, 0], np.int32)[found.labels])
    _assert_same(found, Embeddings(VECTORS, network.node_names, network.labels, network.class_names))
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", ["npz", "csv", "parquet"])
def test_round_trip_without_names_and_labels(suffix: str, tmp_path: Path) -> None:
    jdgnn.write_embeddings(tmp_path / f"a.{suffix}", VECTORS)
    _assert_same(jdgnn.read_embeddings(tmp_path / f"a.{suffix}"), Embeddings(VECTORS))


def test_other_programs_read_the_tables(tmp_path: Path) -> None:
    for suffix in ("csv", "parquet"):
        jdgnn.write_embeddings(tmp_path / f"a.{suffix}", VECTORS, five())
    table, typed = pandas.read_csv(tmp_path / "a.csv"), pandas.read_parquet(tmp_path / "a.parquet")
    for frame in (table, typed):
        assert frame.columns.tolist() == ["node", "label", "e0", "e1", "e2"]
        assert frame["node"].tolist() == list(five().node_names)
        assert frame["label"].tolist() == ["accesspoint", "router", "accesspoint", "router", "accesspoint"]
    np.testing.assert_array_equal(typed[["e0", "e1", "e2"]].to_numpy(), VECTORS)
    np.testing.assert_array_equal(table[["e0", "e1", "e2"]].to_numpy(np.float32), VECTORS)


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    jdgnn.write_embeddings(tmp_path / "a.csv", VECTORS)
    with pytest.raises(InputError, match=r"path: .*a.csv exists"):
        jdgnn.write_embeddings(tmp_path / "a.csv", 2 * VECTORS)
    jdgnn.write_embeddings(tmp_path / "a.csv", 2 * VECTORS, overwrite=True)
    np.testing.assert_array_equal(jdgnn.read_embeddings(tmp_path / "a.csv").vectors, 2 * VECTORS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "a.txt"}, "path: .*got .*a.txt"),
        ({"path": "none/a.csv"}, "path: there is no directory"),
        ({"embeddings": np.ones(3)}, r"embeddings: .*got float64 \(3,\)"),
        ({"embeddings": np.ones((5, 2), int)}, "embeddings: .*got int64"),
        ({"embeddings": np.ones((4, 2))}, "embeddings: expected a row for each of 5 nodes, got 4"),
        ({"network": "five"}, "network: .*got str"),
        ({"overwrite": 1}, "overwrite: .*got 1"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any], message: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {"path": "a.csv", "embeddings": VECTORS, "network": five()} | arguments
    with pytest.raises(InputError, match=message):
        jdgnn.write_embeddings(tmp_path / given.pop("path"), **given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("node,e0,e2\n0,1,2\n", "expected the columns node"),
        ("node,label\n0,1\n", "expected the columns node"),
        ("id,e0\n0,1\n", "expected the columns node"),
        ("node,e0\na,1\na,2\n", r"node: expected each id once, got 'a' \(line 3\)"),
        ("node,e0\na,x\n", r"e0: expected numbers, got 'x' \(line 2\)"),
    ],
)
def test_other_tables_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        jdgnn.read_embeddings(tmp_path / "a.csv")


def test_other_archives_are_refused(tmp_path: Path) -> None:
    jdgnn.network.write(tmp_path / "a.npz", from_edges([0], [1], np.eye(2)))
    with pytest.raises(InputError, match="has an array 'senders', which nothing reads"):
        jdgnn.read_embeddings(tmp_path / "a.npz")


def test_rows_go_by_name(tmp_path: Path) -> None:
    """Of a frame whose index names nodes, and of what was read from a file of other order."""
    network = five()
    order = [3, 0, 4, 1, 2]
    names = tuple(network.node_names[row] for row in order)
    frame = pandas.DataFrame(VECTORS[order], index=names)
    for given in (frame, Embeddings(VECTORS[order], names), Embeddings(VECTORS)):
        jdgnn.write_embeddings(tmp_path / "a.npz", given, network, overwrite=True)
        wanted = Embeddings(VECTORS, network.node_names, network.labels, network.class_names)
        _assert_same(jdgnn.read_embeddings(tmp_path / "a.npz"), wanted)
    jdgnn.write_embeddings(tmp_path / "b.npz", frame)
    _assert_same(jdgnn.read_embeddings(tmp_path / "b.npz"), Embeddings(VECTORS[order], names))
    with pytest.raises(InputError, match="embeddings: expected each node once, by its name; unknown: 'eve'; missing:"):
        jdgnn.write_embeddings(tmp_path / "c.npz", frame.rename({names[0]: "eve"}), network)
