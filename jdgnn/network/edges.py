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
    is_mask, dtype = weights.dtype == bool, vectors.dtype
    if library.are_used() and vectors.size and dtype in library.DTYPES and (is_mask or weights.dtype == dtype):
        return _sums(vectors, weights.astype(dtype), topology, own)
    weights = weights[:, None]
    total = sum_over_in_edges(jnp.where(weights, vectors, 0) if is_mask else weights * vectors, topology)
    return total if own is None else total + own


@jax.custom_vjp
def _sums(vectors: jax.Array, weights: jax.Array, topology: Topology, own: jax.Array | None) -> jax.Array:
    return calls.sums(vectors, weights, topology.in_offset, topology.in_degree, own)


def _sums_forward(
    vectors: jax.Array, weights: jax.Array, topology: Topology, own: jax.Array | None
) -> tuple[jax.Array, Any]:
    return _sums(vectors, weights, topology, own), (vectors, weights, topology, own is None)


def _sums_backward(kept: Any, change: jax.Array) -> tuple[jax.Array, jax.Array, None, jax.Array | None]:
    vectors, weights, topology, is_alone = kept
    over_edges = change[topology.receivers]
    return (
        weights[:, None] * over_edges,
        jnp.sum(vectors * over_edges, axis=1),
        None,
        None if is_alone else change,
    )


_sums.defvjp(_sums_forward, _sums_backward)


def sum_over_out_edges(values: jax.Array, topology: Topology) -> jax.Array:
    """Sums [E, ...] over the out-edges of each node: [N, ...], zero where there are none."""
    return jax.ops.segment_sum(values, topology.senders, topology.num_nodes)
