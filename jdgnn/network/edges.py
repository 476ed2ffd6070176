"""Sums over the edges of each node: the one place with operations over ragged neighbourhoods.

Axes: N nodes, E directed edges.
"""

import jax
import jax.numpy as jnp

from jdgnn.backend.accelerator import tree_sum
from jdgnn.network.topology import Topology


def sum_over_in_edges(values: jax.Array, topology: Topology) -> jax.Array:
    """Sums [E, ...] over the in-edges of each node: [N, ...], zero where there are none."""
    if topology.in_tree and jnp.issubdtype(values.dtype, jnp.floating):
        return tree_sum(values, topology.in_tree)
    return jax.ops.segment_sum(values, topology.receivers, topology.num_nodes, indices_are_sorted=True)


def max_over_in_edges(values: jax.Array, topology: Topology) -> jax.Array:
    """The largest of [E, ...] over the in-edges of each node: [N, ...], minus infinity where there are none."""
    return jax.ops.segment_max(values, topology.receivers, topology.num_nodes, indices_are_sorted=True)


def weighted_sum_over_in_edges(
    vectors: jax.Array, weights: jax.Array, topology: Topology, own: jax.Array | None = None
) -> jax.Array:
    """Sums vectors over the in-edges of each node.

    Args:
      vectors: over each edge [E, F].
      weights: of each edge [E]; or a mask, of those that count.
      topology: the links.
      own: what is added to each node's sum [N, F]; None for nothing.

    Returns:
      One sum per node [N, F].
    """
    return topology.backend.sum_over_edges(vectors, weights, topology, own)


def sum_over_out_edges(values: jax.Array, topology: Topology) -> jax.Array:
    """Sums [E, ...] over the out-edges of each node: [N, ...], zero where there are none."""
    return jax.ops.segment_sum(values, topology.senders, topology.num_nodes)
