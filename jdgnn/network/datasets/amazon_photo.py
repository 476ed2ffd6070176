"""Amazon Photo, a network of products bought together."""

from collections.abc import Mapping

import numpy as np

from jdgnn.network.conversion.scipy_matrices import from_scipy
from jdgnn.network.datasets.description import DataFile, Dataset
from jdgnn.network.datasets.restricted import read_npz
from jdgnn.network.network import Network
from jdgnn.network.splits import random_splits


def _build(contents: Mapping[str, bytes]) -> Network:
    members = read_npz(contents["amazon_photo.npz"], "amazon_photo.npz")
    links = members["adj_matrix"]
    labels = members["node_label"]
    return from_scipy(
        links.maximum(links.T),  # some links stand in the matrix once, some in both directions
        members["node_attr"].toarray().astype(np.float32),
        labels=labels,
        splits=random_splits(labels, 10, train=0.1, validation=0.1),
        name="amazon_photo",
        class_names=tuple(members["metadata"]["class_names"].tolist()),
    )


AMAZON_PHOTO = Dataset(
    name="amazon_photo",
    summary="photo products linked when bought together, review words as features; ten random 10/10/80 splits",
    num_nodes=7650,
    num_edges=119081,
    num_features=745,
    num_classes=8,
    licence="MIT",
    source="https://github.com/EdisonLeeeee/GraphData (McAuley et al. 2015, Shchur et al. 2018)",
    files=(
        DataFile(
            name="amazon_photo.npz",
            num_bytes=1772672,
            sha256="bdb98b54cd3125bfa69b23ba0aae84fabcb770c6727175b8f6eb1d64f3be4b2b",
            url="https://raw.githubusercontent.com/EdisonLeeeee/GraphData/"
            "f8022c26b917346f2a461ffec0ec5ae24b36de68/datasets/amazon_photo.npz",
        ),
    ),
    build=_build,
)
