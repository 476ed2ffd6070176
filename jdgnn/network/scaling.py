"""Features brought to one size, so that none counts for more because of its unit."""

from dataclasses import replace

import numpy as np

from jdgnn.network.network import Network


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
