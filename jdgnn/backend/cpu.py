"""The operations of a backend by compiled kernels, each where a kernel exists for the given arrays.

`jdgnn.backend.backend` documents arguments and results. Axes: N nodes, E directed edges.
"""

from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.backend import calls, plain
from jdgnn.backend.library import DTYPES
from jdgnn.backend.plain import InEdges


def gather(table: jax.Array, row: jax.Array) -> jax.Array:
    """Rows by number, zeros if a number is out of range."""
    return calls.gather(table, row) if table.size and row.size else plain.gather(table, row)


def gather_known(table: jax.Array, row: jax.Array) -> jax.Array:
    """Rows by number, none out of range."""
    return calls.gather(table, row) if table.size and row.size else plain.gather_known(table, row)


def write_rows(target: jax.Array, to: jax.Array, source: jax.Array, origin: jax.Array) -> jax.Array:
    """Writes rows of the source over rows of the target."""
    return calls.copy_rows(target, to, source, origin) if target.size and to.size else target


def replace_rows(target: jax.Array, mask: jax.Array, source: jax.Array, origin: jax.Array) -> jax.Array:
    """Replaces rows of the target by rows of the source where the mask is True."""
    if not target.size:
        return plain.replace_rows(target, mask, source, origin)
    number = jnp.arange(mask.size, dtype=jnp.int32)
    return calls.copy_rows(target, jnp.where(mask, number, mask.size), source, origin)


def copy_rows(
    target: Any, to: jax.Array, source: Any, origin: jax.Array, count: jax.Array, usual: int | None = None
) -> Any:
    """Copies rows from one tree into another."""
    del usual
    if to.size == 0:
        return target
    kept = jnp.where(jnp.arange(to.size, dtype=jnp.int32) < count, to, -1)
    return jax.tree.map(lambda old, new: calls.copy_rows(old, kept, new, origin) if old.size else old, target, source)


def arrivals(num_nodes: int, dst: jax.Array, *order: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Sorts messages by receiver and then by order of arrival."""
    return calls.arrivals(num_nodes, dst, order) if dst.size else plain.arrivals(num_nodes, dst, *order)


def sum_over_edges(
    vectors: jax.Array, weights: jax.Array, in_edges: InEdges, own: jax.Array | None = None
) -> jax.Array:
    """Weighted sums over the in-edges of each node."""
    dtype = vectors.dtype
    if not vectors.size or dtype not in DTYPES or weights.dtype not in (bool, dtype):
        return plain.sum_over_edges(vectors, weights, in_edges, own)
    offset, degree = in_edges.in_offset, in_edges.in_degree
    return _sums(vectors, weights.astype(dtype), in_edges.receivers, offset, degree, own)


@jax.custom_vjp
def _sums(
    vectors: jax.Array,
    weights: jax.Array,
    receivers: jax.Array,
    offset: jax.Array,
    degree: jax.Array,
    own: jax.Array | None,
) -> jax.Array:
    return calls.sums(vectors, weights, offset, degree, own)


def _sums_forward(vectors: jax.Array, weights: jax.Array, receivers: jax.Array, *others: Any) -> tuple[jax.Array, Any]:
    return _sums(vectors, weights, receivers, *others), (vectors, weights, receivers, others[-1] is None)


def _sums_backward(kept: Any, change: jax.Array) -> tuple[jax.Array | None, ...]:
    vectors, weights, receivers, is_alone = kept
    over_edges = change[receivers]
    of_weights = jnp.sum(vectors * over_edges, axis=1)
    return weights[:, None] * over_edges, of_weights, None, None, None, None if is_alone else change


_sums.defvjp(_sums_forward, _sums_backward)


def mean_over_nodes(values: jax.Array, mask: jax.Array | None) -> jax.Array:
    """Mean over the nodes that count; None for all."""
    if not values.size or values.dtype not in DTYPES:
        return plain.mean_over_nodes(values, mask)
    return calls.mean(values, jnp.ones(values.shape[0], bool) if mask is None else mask)


def distances(values: jax.Array, centre: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Squared distance of each node's numbers from the centre, and their squared norm."""
    has_kernel = values.size and values.dtype in DTYPES
    return calls.distances(values, centre) if has_kernel else plain.distances(values, centre)


def quantiles(values: jax.Array, mask: jax.Array, levels: jax.Array) -> jax.Array:
    """Quantiles over the nodes where the mask is True, as values that occur; NaN over none."""
    has_kernel = values.size and values.dtype in DTYPES
    return calls.quantiles(values, mask, levels) if has_kernel else plain.quantiles(values, mask, levels)
