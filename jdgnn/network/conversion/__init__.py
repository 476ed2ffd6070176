"""Networks from and to what other libraries hold, a file for each.

Everywhere an edge u→v says that u sends to v. These libraries are imported when they are needed, not before.
"""

from jdgnn.network.conversion.as_network import as_network
from jdgnn.network.conversion.jraph_tuples import from_jraph, to_jraph
from jdgnn.network.conversion.networkx_graphs import from_networkx, to_networkx
from jdgnn.network.conversion.pandas_tables import from_pandas, to_pandas
from jdgnn.network.conversion.pyg_data import from_pyg, to_pyg
from jdgnn.network.conversion.scipy_matrices import from_scipy, to_scipy

__all__ = [
    "as_network",
    "from_jraph",
    "from_networkx",
    "from_pandas",
    "from_pyg",
    "from_scipy",
    "to_jraph",
    "to_networkx",
    "to_pandas",
    "to_pyg",
    "to_scipy",
]
