"""Aggregation of the vectors that in-neighbours sent: operations over ragged edges.

Axes: N nodes, E directed edges, F features.

Example:
  >>> import jdgnn
  >>> links = jdgnn.network.topology(jdgnn.network.from_edges([1, 2], [0, 0], jnp.zeros((3, 1))))
  >>> own, received, mask = jnp.zeros((3, 1)), jnp.array([[2.0], [4.0]]), jnp.array([True, True])
  >>> mean(own, received, mask, links).tolist(), total(own, received, mask, links).tolist()
  ([[3.0], [0.0], [0.0]], [[6.0], [0.0], [0.0]])
"""

from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.network.edges import max_over_in_edges, sum_over_in_edges, weighted_sum_over_in_edges
from jdgnn.network.topology import Topology


def symmetric_sum(
    own: jax.Array, received: jax.Array, received_mask: jax.Array, topology: Topology, query: None = None
) -> jax.Array:
    """GCN's sum over a node and its in-neighbours, weighted by 1/√((dᵤ+1)(dᵥ+1)) with in-degrees d.

    Weights are those of the whole network: a neighbour from whom nothing has arrived is left out, and the others keep
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
      own: each node's own vector [N, F]; not used.
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


def maximum(
    own: jax.Array, received: jax.Array, received_mask: jax.Array, topology: Topology, query: None = None
) -> jax.Array:
    """The largest entry of each feature over the in-neighbours from whom something has arrived, zero if there is none.

    Hamilton, Ying & Leskovec, arXiv 1706.02216, without the perceptron.

    Args:
      own: each node's own vector [N, F]; not used.
      received: the newest vector over each edge [E, F].
      received_mask: whether anything has arrived over it [E].
      topology: the links.
      query: not used.

    Returns:
      One vector per node [N, F].
    """
    del query
    largest = max_over_in_edges(jnp.where(received_mask[:, None], received, -jnp.inf), topology)
    return jnp.where(jnp.isneginf(largest), jnp.zeros_like(own), largest)


def total(
    own: jax.Array, received: jax.Array, received_mask: jax.Array, topology: Topology, query: None = None
) -> jax.Array:
    """The sum over the in-neighbours from whom something has arrived.

    Xu et al., "How Powerful are Graph Neural Networks?", arXiv 1810.00826.

    Args:
      own: each node's own vector [N, F]; not used.
      received: the newest vector over each edge [E, F].
      received_mask: whether anything has arrived over it [E].
      topology: the links.
      query: not used.

    Returns:
      One vector per node [N, F].
    """
    del own, query
    return weighted_sum_over_in_edges(received, received_mask, topology)


def laplacian(
    own: jax.Array, received: jax.Array, received_mask: jax.Array, topology: Topology, query: None = None
) -> jax.Array:
    """The Chebyshev polynomial of order one of the rescaled Laplacian: −Σ x_u/√(dᵤdᵥ) with in-degrees d.

    For the largest eigenvalue 2, as in Defferrard, Bresson & Vandergheynst, arXiv 1606.09375, and Kipf & Welling,
    arXiv 1609.02907. Weights are those of the whole network, as in `symmetric_sum`; a neighbour without in-edges counts
    as of degree one.

    Args:
      own: each node's own vector [N, F]; not used.
      received: the newest vector over each edge [E, F].
      received_mask: whether anything has arrived over it [E].
      topology: the links.
      query: not used.

    Returns:
      One vector per node [N, F].
    """
    del query
    inverse_root = jax.lax.rsqrt(jnp.maximum(topology.in_degree, 1).astype(own.dtype))
    weight = jnp.where(received_mask, inverse_root[topology.senders], 0)
    return -inverse_root[:, None] * weighted_sum_over_in_edges(received, weight, topology)


def nothing(
    own: jax.Array, received: jax.Array, received_mask: jax.Array, topology: Topology, query: None = None
) -> jax.Array:
    """A node's own vector, without its neighbours.

    Args:
      own: each node's own vector [N, F].
      received: not used.
      received_mask: not used.
      topology: not used.
      query: not used.

    Returns:
      One vector per node [N, F].
    """
    del received, received_mask, topology, query
    return own


def attention(
    own: jax.Array, received: jax.Array, received_mask: jax.Array, topology: Topology, query: dict[str, Any]
) -> jax.Array:
    """GAT's mean over a node and its in-neighbours, weighted by a softmax of leaky scores, for each of H heads.

    The score of an edge u→v is the inner product of v's query and the vector that u sent, plus an offset of v; so no
    edge is ever multiplied by a matrix of a node. Velickovic et al., arXiv 1710.10903.

    Args:
      own: each node's own vector [N, F]; it is weighted like a neighbour's.
      received: the newest vector over each edge [E, F].
      received_mask: whether anything has arrived over it [E].
      topology: the links.
      query: `key` [N, H, F], which vectors are multiplied by; `offset` [N, H].

    Returns:
      For each node and head the weighted mean of vectors [N, H, F].
    """
    to = topology.receivers
    scores = _scores(received[:, None], query["key"][to], query["offset"][to])
    scores = jnp.where(received_mask[:, None], scores, -jnp.inf)
    own_score = _scores(own[:, None], query["key"], query["offset"])
    top = jax.lax.stop_gradient(jnp.maximum(max_over_in_edges(scores, topology), own_score))
    weights, own_weight = jnp.exp(scores - top[to]), jnp.exp(own_score - top)
    sums = sum_over_in_edges(weights[:, :, None] * jnp.where(received_mask[:, None], received, 0)[:, None], topology)
    sums = sums + own_weight[:, :, None] * own[:, None]
    return sums / (sum_over_in_edges(weights, topology) + own_weight)[:, :, None]


def _scores(vectors: jax.Array, keys: jax.Array, offset: jax.Array) -> jax.Array:
    return jax.nn.leaky_relu(jnp.sum(vectors * keys, axis=-1) + offset, negative_slope=0.2)
