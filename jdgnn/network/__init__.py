"""Floor 0: who exists and who is linked.

A `Network` comes from edge arrays (`from_edges`), from other libraries (`from_pyg`, `from_networkx`, `from_scipy`,
`from_pandas`, `from_jraph`, `as_network`), from files of one's own (`read_files`), from a generator (`GENERATORS`) or
from a data set (`datasets.load`).
"""

from jdgnn.network import datasets, generators
from jdgnn.network.conversion.as_network import as_network
from jdgnn.network.conversion.jraph_tuples import from_jraph, to_jraph
from jdgnn.network.conversion.networkx_graphs import from_networkx, to_networkx
from jdgnn.network.conversion.pandas_tables import from_pandas, to_pandas
from jdgnn.network.conversion.pyg_data import from_pyg, to_pyg
from jdgnn.network.conversion.scipy_matrices import from_scipy, to_scipy
from jdgnn.network.files import read_files, write
from jdgnn.network.generators import (
    GENERATORS,
    barabasi_albert,
    grid,
    k_regular,
    random_geometric,
    ring,
    stochastic_block_model,
)
from jdgnn.network.identifiers import Identifiers
from jdgnn.network.network import Network, Splits, from_edges
from jdgnn.network.projection import project, random_projection
from jdgnn.network.scaling import scale
from jdgnn.network.splits import random_splits
from jdgnn.network.topology import Topology, topology

__all__ = [
    "GENERATORS",
    "Identifiers",
    "Network",
    "Splits",
    "Topology",
    "as_network",
    "barabasi_albert",
    "datasets",
    "from_edges",
    "from_jraph",
    "from_networkx",
    "from_pandas",
    "from_pyg",
    "from_scipy",
    "generators",
    "grid",
    "k_regular",
    "project",
    "random_geometric",
    "random_projection",
    "random_splits",
    "read_files",
    "ring",
    "scale",
    "stochastic_block_model",
    "to_jraph",
    "to_networkx",
    "to_pandas",
    "to_pyg",
    "to_scipy",
    "topology",
    "write",
]
