"""Random projection of features to fewer columns, the same at every node."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdgnn.checks import check_count
from jdgnn.network.network import Network


def random_projection(features: NDArray[np.floating], width: int, seed: int = 0) -> NDArray[np.floating]:
    """Projects features with a Gaussian matrix scaled by 1/√width, which keeps squared distances in expectation.

    The matrix depends on the seed and the two widths alone. Nodes that know the seed make it for themselves: nothing
    has to be sent. (Johnson & Lindenstrauss 1984; Dasgupta & Gupta 2003.)

    Args:
      features: what each node measures [N, F0].
      width: columns of the result.
      seed: the shared seed.

    Returns:
      Projected features [N, width], of the dtype of `features`.

    Raises:
      InputError: the width or the seed is not a whole number, or too small.

    Example:
      >>> import numpy as np
      >>> random_projection(np.eye(5, dtype=np.float32), 3).shape
      (5, 3)
    """
    check_count("width", width)
    check_count("seed", seed, minimum=0)
    directions = np.random.default_rng(seed).standard_normal((features.shape[1], width)) / np.sqrt(width)
    return features @ directions.astype(features.dtype)


def project(network: Network, width: int, seed: int = 0) -> Network:
    """Gives the same network with its features projected to `width` columns by `random_projection`.

    Args:
      network: the network.
      width: features of a node afterwards.
      seed: the shared seed.

    Returns:
      A network that differs in `features` only, which have no names.

    Raises:
      InputError: the width or the seed is not a whole number, or too small.

    Example:
      >>> import numpy as np
      >>> from jdgnn.network import from_edges
      >>> project(from_edges([0, 1], [1, 0], np.eye(2)), 8)
      Network('network': 2 nodes, 2 directed edges, 8 features, no labels)
    """
    return replace(network, features=random_projection(network.features, width, seed), feature_names=())
