"""Sums over the edges of each node: the one place with operations over ragged neighbourhoods.

Axes: N nodes, E directed edges.
"""

import jax

from jdgnn.network.topology import Topology


def sum_over_in_edges(values: jax.Array, topology: Topology) -> jax.Array:
    """Sums [E, ...] over the in-edges of each node: [N, ...], zero where there are none."""
    return jax.ops.segment_sum(values, topology.receivers, topology.num_nodes, indices_are_sorted=True)


def sum_over_out_edges(values: jax.Array, topology: Topology) -> jax.Array:
    """Sums [E, ...] over the out-edges of each node: [N, ...], zero where there are none."""
    return jax.ops.segment_sum(values, topology.senders, topology.num_nodes)
