"""Features that are too large for the precision that nodes compute in, by column."""

import numpy as np
from numpy.typing import DTypeLike

from jdgnn.network.network import Network

SHOWN = 5
"""So many columns are named."""


def too_large(network: Network, dtype: DTypeLike, *, squared: bool = False) -> str | None:
    """A clause about columns of features with a number that a precision cannot hold.

    Args:
      network: the network.
      dtype: the precision.
      squared: whether it must hold the sum of squares of a node's features, as inner products and norms need.

    Returns:
      The clause, which names columns, the largest number, and nodes; None if all is well.

    Example:
      >>> from dataclasses import replace
      >>> from jdgnn.network import ring
      >>> network = ring(4, num_features=2)
      >>> network = replace(network, features=np.array([[0.0, 1.0]] * 3 + [[0.0, 1e30]]), feature_names=("load", "age"))
      >>> too_large(network, np.float32), too_large(network, np.float32, squared=True)
      (None, "column 'age' reaches 1e+30 (at node 3), and squares of at most 1.3e+19 each fit into float32")
    """
    features, dtype = network.features, np.dtype(dtype)
    most = float(np.finfo(dtype).max)
    most = np.sqrt(most / max(1, network.num_features)) if squared else most
    tops = np.abs(features).max(axis=0, initial=0)
    columns = np.flatnonzero(tops > most)
    if not len(columns):
        return None
    worst = columns[tops[columns].argmax()]
    node = int(np.abs(features[:, worst]).argmax())
    names = [repr(network.feature_names[column]) if network.feature_names else str(column) for column in columns]
    shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    what = f"column {shown} reaches" if len(columns) == 1 else f"columns {shown} reach"
    fit = f"squares of at most {most:.2g} each fit into {dtype}" if squared else f"{dtype} ends at {most:.2g}"
    return f"{what} {tops[worst]:.3g} (at node {node}), and {fit}"
