"""scikit-learn's handwritten digits as a network: the embedded default, which needs no file."""

from collections.abc import Mapping

import numpy as np

from jdgnn.network.conversion.scipy_matrices import from_scipy
from jdgnn.network.datasets.description import Dataset
from jdgnn.network.network import Network
from jdgnn.network.splits import random_splits

NUM_NEIGHBOURS = 8


def _build(_: Mapping[str, bytes]) -> Network:
    from scipy.sparse import csr_array
    from scipy.spatial.distance import cdist
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    distance = cdist(images, images, "sqeuclidean")  # of whole numbers, and so exact
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :NUM_NEIGHBOURS]  # of equals the lower, on any machine
    links = np.zeros(distance.shape)
    np.put_along_axis(links, nearest, 1, axis=1)
    return from_scipy(
        csr_array(np.maximum(links, links.T)),
        (images / 16).astype(np.float32),  # grey levels are 0 to 16
        labels=labels,
        splits=random_splits(labels, 10, per_class=2, validation=100),
        name="digits",
        class_names=tuple("0123456789"),
    )


DIGITS = Dataset(
    name="digits",
    summary="handwritten digits linked to their 8 nearest neighbours; ten random splits with 2 labelled nodes per "
    "class, 100 for validation; bundled with scikit-learn",
    num_nodes=1797,
    num_edges=9929,
    num_features=64,
    num_classes=10,
    licence="CC BY 4.0",
    source="UCI, Optical Recognition of Handwritten Digits (Alpaydin & Kaynak 1998), as bundled with scikit-learn",
    files=(),
    build=_build,
)
