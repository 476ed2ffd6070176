"""Features brought to one size, so that none counts for more because of its unit; and narrowed, after that."""

from dataclasses import replace

import jax
import numpy as np

from jdgnn.errors import InputError
from jdgnn.network.narrowing import column_names, narrowing_notes
from jdgnn.network.network import Network
from jdgnn.network.problems import listed


def scale(network: Network) -> Network:
    """Gives the same network with each feature at mean 0 and standard deviation 1 over the nodes.

    A feature that is the same everywhere becomes 0. In a network of devices nobody knows these means: whoever deploys
    it has to give them to all devices beforehand, as units of measurement are given.

    Args:
      network: the network.

    Returns:
      A network that differs in `features` only.

    Example:
      >>> import numpy as np
      >>> from jdgnn.network import from_edges
      >>> scale(from_edges([0], [1], np.array([[1.0, 500.0], [3.0, 500.0]]))).features.tolist()
      [[-1.0, 0.0], [1.0, 0.0]]
    """
    features = np.asarray(network.features, np.float64)
    centred = features - features.mean(axis=0)
    sd = centred.std(axis=0)
    varies = sd > 1e-9 * np.abs(features).max(axis=0, initial=0.0)  # more than rounding does
    scaled = np.where(varies, centred / np.where(varies, sd, 1.0), 0.0)
    return replace(network, features=scaled.astype(network.features.dtype))


def narrowed(network: Network) -> Network:
    """Gives the same network with features in the type that its nodes compute in: float32 unless jax_enable_x64 is on.

    Args:
      network: the network.

    Returns:
      A network with such features, and a note if columns lose values.

    Raises:
      InputError: a number is too large for the type.

    Example:
      >>> from jdgnn.network import from_edges
      >>> print(narrowed(from_edges([0], [1], [[1_700_000_000], [1_700_000_001]])))
      Network('network': 2 nodes, 1 directed edges, 1 features, no labels)
        features lose values in float32: column 0 (1 different of 2); scale them, with network.scale or scale = true
    """
    dtype = jax.dtypes.canonicalize_dtype(network.features.dtype)
    if network.features.dtype == dtype:
        return network
    with np.errstate(over="ignore"):
        features = network.features.astype(dtype)
    columns = column_names(network.features, network.feature_names)
    bad = [columns[column] for column in np.flatnonzero(~np.isfinite(features).all(axis=0))]
    if bad:
        raise InputError(f"features: numbers are too large for {dtype} in {listed(bad)}; scale them first")
    return replace(
        network, features=features, notes=(*network.notes, *narrowing_notes(network.features, network.feature_names))
    )
