"""How a node combines what its in-neighbours sent: operations over ragged edges.

Axes: N nodes, E directed edges, F features.
"""

import jax
import jax.numpy as jnp

from jdgnn.network.edges import sum_over_in_edges, weighted_sum_over_in_edges
from jdgnn.network.topology import Topology


def symmetric_sum(
    own: jax.Array, received: jax.Array, received_mask: jax.Array, topology: Topology, query: None = None
) -> jax.Array:
    """GCN's sum over a node and its in-neighbours, weighted by 1/√((dᵤ+1)(dᵥ+1)) with in-degrees d.

    Weights are those of the whole network: a neighbour from whom nothing has arrived is left out and the others keep
    their weights (Kipf & Welling, arXiv 1609.02907).

    Args:
      own: each node's own vector [N, F].
      received: the newest vector over each edge [E, F].
      received_mask: whether anything has arrived over it [E].
      topology: the links.
      query: not used.

    Returns:
      One vector per node [N, F].
    """
    del query
    inverse_root = jax.lax.rsqrt(topology.in_degree.astype(own.dtype) + 1)
    weight = jnp.where(received_mask, inverse_root[topology.senders], 0)
    return inverse_root[:, None] * weighted_sum_over_in_edges(received, weight, topology, inverse_root[:, None] * own)


def mean(
    own: jax.Array, received: jax.Array, received_mask: jax.Array, topology: Topology, query: None = None
) -> jax.Array:
    """GraphSAGE's mean over the in-neighbours from whom something has arrived, zero if there is none.

    Hamilton, Ying & Leskovec, arXiv 1706.02216.

    Args:
      own: each node's own vector [N, F]; it takes no part.
      received: the newest vector over each edge [E, F].
      received_mask: whether anything has arrived over it [E].
      topology: the links.
      query: not used.

    Returns:
      One vector per node [N, F].
    """
    del query
    total = weighted_sum_over_in_edges(received, received_mask, topology)
    count = sum_over_in_edges(received_mask.astype(own.dtype), topology)
    return total / jnp.maximum(count, 1)[:, None]
