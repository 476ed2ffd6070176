"""Networks from and to what other libraries hold, a file for each.

Everywhere an edge u→v says that u sends to v. These libraries are imported when they are needed, not before.
"""

from jdgnn.network.conversion.as_network import as_network

__all__ = ["as_network"]
