"""Sums over the edges of each node: the one place with operations over ragged neighbourhoods.

Axes: N nodes, E directed edges.
"""

from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.kernels import calls, library
from jdgnn.network.topology import Topology


def sum_over_in_edges(values: jax.Array, topology: Topology) -> jax.Array:
    """Sums [E, ...] over the in-edges of each node: [N, ...], zero where there are none."""
    return jax.ops.segment_sum(values, topology.receivers, topology.num_nodes, indices_are_sorted=True)


def weighted_sum_over_in_edges(vectors: jax.Array, weights: jax.Array, topology: Topology) -> jax.Array:
    """Sums vectors [E, F] over the in-edges of each node, with weights [E]: [N, F]; what has no weight is not read."""
    if library.are_used() and vectors.size and vectors.dtype == weights.dtype and vectors.dtype in library.DTYPES:
        return _sums(vectors, weights, topology)
    weights = weights[:, None]
    return sum_over_in_edges(jnp.where(weights == 0, 0, weights * vectors), topology)


@jax.custom_vjp
def _sums(vectors: jax.Array, weights: jax.Array, topology: Topology) -> jax.Array:
    return calls.sums(vectors, weights, topology.in_offset, topology.in_degree)


def _sums_forward(vectors: jax.Array, weights: jax.Array, topology: Topology) -> tuple[jax.Array, Any]:
    return _sums(vectors, weights, topology), (vectors, weights, topology)


def _sums_backward(kept: Any, change: jax.Array) -> tuple[jax.Array, jax.Array, None]:
    vectors, weights, topology = kept
    over_edges = change[topology.receivers]
    return weights[:, None] * over_edges, jnp.sum(vectors * over_edges, axis=1), None


_sums.defvjp(_sums_forward, _sums_backward)


def sum_over_out_edges(values: jax.Array, topology: Topology) -> jax.Array:
    """Sums [E, ...] over the out-edges of each node: [N, ...], zero where there are none."""
    return jax.ops.segment_sum(values, topology.senders, topology.num_nodes)
