"""Features for networks whose nodes measure nothing."""

from dataclasses import replace
from typing import Any

import numpy as np

from jdgnn.errors import InputError
from jdgnn.network.network import Network

COMPUTED = ("degree", "one", "random")
"""What `features` may be where there are no columns."""

NUM_RANDOM = 32
"""Columns of random features."""

ADVICE = "write features = 'degree', 'one' (the same at every node) or 'random'"


def with_computed_features(network: Network, kind: Any) -> Network:
    """Gives the same network with features that need no measurement.

    Args:
      network: the network; its features are not looked at.
      kind: `degree` (in-degree and, where it differs, out-degree), `one` (a column of ones) or `random` (32 columns of
        standard normal numbers, the same for the same number of nodes).

    Returns:
      A network with other features, their names, and a note about them.

    Raises:
      InputError: there is no such kind.

    Example:
      >>> from jdgnn.network import ring
      >>> with_computed_features(ring(5), "degree").features.ravel().tolist()
      [2.0, 2.0, 2.0, 2.0, 2.0]
    """
    size = network.num_nodes
    if kind == "degree":
        degrees = np.stack([network.in_degree, np.bincount(network.senders, minlength=size)], axis=1)
        names: tuple[str, ...] = ("in-degree", "out-degree")
        if (degrees[:, 0] == degrees[:, 1]).all():
            degrees, names = degrees[:, :1], ("degree",)
        values = degrees.astype(np.float64)
    elif kind == "one":
        values, names = np.ones((size, 1)), ("one",)
    elif kind == "random":
        values = np.random.default_rng(0).standard_normal((size, NUM_RANDOM))
        names = tuple(f"random {column}" for column in range(NUM_RANDOM))
    else:
        raise InputError(f"features: expected {', '.join(COMPUTED)}, got {kind!r}; the nodes have no columns")
    told = f"features: {kind}, computed, as nodes measure nothing"
    return replace(network, features=values.astype(np.float32), feature_names=names, notes=(told, *network.notes))
