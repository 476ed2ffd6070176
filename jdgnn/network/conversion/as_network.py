"""Whatever holds a network by itself, as one."""

from typing import Any

from jdgnn.errors import InputError
from jdgnn.network.conversion.jraph_tuples import from_jraph
from jdgnn.network.conversion.networkx_graphs import from_networkx
from jdgnn.network.conversion.pyg_data import from_pyg
from jdgnn.network.network import Network
from jdgnn.network.soundness import check_network


def as_network(thing: Any) -> Network:
    """Gives a network of whatever holds one by itself: a network, a graph of PyTorch Geometric, jraph or networkx.

    Args:
      thing: a `Network`, checked and returned as it is, or what `from_pyg`, `from_jraph` or `from_networkx` take
        without further arguments.

    Returns:
      The network.

    Raises:
      InputError: it is none of these, its conversion fails, or it is a `Network` whose fields do not fit together.

    Example:
      >>> import numpy as np
      >>> from jdgnn.network import from_edges, to_jraph
      >>> as_network(to_jraph(from_edges([0, 1], [1, 0], np.eye(2))))
      Network('network': 2 nodes, 2 directed edges, 2 features, no labels)
    """
    if isinstance(thing, Network):
        check_network(thing)
        return thing
    if hasattr(thing, "edge_index") or type(thing).__module__.split(".")[0] == "torch_geometric":
        return from_pyg(thing)
    import jraph
    import networkx

    if isinstance(thing, jraph.GraphsTuple):
        return from_jraph(thing)
    if isinstance(thing, networkx.Graph):
        return from_networkx(thing)
    raise InputError(
        "network: expected a Network, a PyTorch Geometric Data, a jraph.GraphsTuple or a networkx graph, got "
        f"{type(thing).__name__}; make one with from_edges (arrays), from_scipy (sparse matrix), from_pandas (tables), "
        "read_files (files) or datasets.load (by name)"
    )
