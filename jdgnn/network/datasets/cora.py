"""Cora, a citation network, as published with Planetoid."""

from collections.abc import Mapping

import numpy as np

from jdgnn.errors import InputError
from jdgnn.network.datasets.description import DataFile, Dataset
from jdgnn.network.datasets.restricted import read_pickle
from jdgnn.network.network import Network, Splits, from_edges

_ADDRESS = "https://raw.githubusercontent.com/kimiyoung/planetoid/af6abf468a772cc055bec88c52e4d6f51b7c37e3/data/"
_NUM_TRAIN, _NUM_VALIDATION = 140, 500


def _build(contents: Mapping[str, bytes]) -> Network:
    from scipy import sparse

    part = {name: read_pickle(contents[f"ind.cora.{name}"], f"ind.cora.{name}") for name in ("allx", "ally", "graph")}
    test = {name: read_pickle(contents[f"ind.cora.{name}"], f"ind.cora.{name}") for name in ("tx", "ty")}
    test_nodes = _test_nodes(contents["ind.cora.test.index"])
    num_known = part["allx"].shape[0]
    num_nodes = num_known + len(test_nodes)
    # the rows of tx and ty stand in the order of test.index, not in that of the node numbers
    row_of_node = np.concatenate([np.arange(num_known), num_known + np.argsort(test_nodes)])
    features = sparse.vstack([part["allx"], test["tx"]]).toarray()[row_of_node]
    one_hot = np.concatenate([part["ally"], test["ty"]])[row_of_node]
    # every link stands in the lists of both its ends
    ends = np.array([(u, v) for u, neighbours in part["graph"].items() for v in neighbours if u <= v])
    nodes = np.arange(num_nodes)
    splits = Splits(
        train=(nodes < _NUM_TRAIN)[None],
        validation=((nodes >= _NUM_TRAIN) & (nodes < _NUM_TRAIN + _NUM_VALIDATION))[None],
        test=np.isin(nodes, test_nodes)[None],
    )
    return from_edges(
        ends[:, 0],
        ends[:, 1],
        features.astype(np.float32),
        labels=one_hot.argmax(axis=1),
        splits=splits,
        undirected=True,
        name="cora",
        class_names=(
            "theory",
            "reinforcement learning",
            "genetic algorithms",
            "neural networks",
            "probabilistic methods",
            "case-based",
            "rule learning",
        ),
    )


def _test_nodes(content: bytes) -> np.ndarray:
    try:
        return np.array([int(line) for line in content.split()])
    except ValueError as error:
        raise InputError(
            f"ind.cora.test.index: not one node number per line ({error}); download the file again"
        ) from error


def _file(name: str, num_bytes: int, sha256: str) -> DataFile:
    return DataFile(name=name, num_bytes=num_bytes, sha256=sha256, url=_ADDRESS + name)


CORA = Dataset(
    name="cora",
    summary="papers linked by citations, words as features; the public Planetoid split (140 / 500 / 1000)",
    num_nodes=2708,
    num_edges=5278,
    num_features=1433,
    num_classes=7,
    licence="MIT (repository); the underlying data states none: cite Sen et al. 2008",
    source="https://github.com/kimiyoung/planetoid (Yang et al. 2016)",
    files=(
        _file("ind.cora.allx", 257305, "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543"),
        _file("ind.cora.ally", 47959, "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71"),
        _file("ind.cora.graph", 59847, "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d"),
        _file("ind.cora.test.index", 5000, "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875"),
        _file("ind.cora.tx", 148025, "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a"),
        _file("ind.cora.ty", 28135, "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad"),
    ),
    build=_build,
)
