"""The operations of a backend in plain JAX; `jdgnn.backend.backend` documents arguments and results.

Axes: N nodes, E directed edges, Q rows of a table, n messages.
"""

from typing import Any, Protocol

import chex
import jax
import jax.numpy as jnp
import optax

from jdgnn.backend.bfloat16 import widened
from jdgnn.backend.per_node import per_node
from jdgnn.backend.rows import in_blocks, put, take

COPIED = 64  # rows copied at once: small enough for the cache
SUMMED = 1024  # rows summed at once, so that a million float32 keep their digits
FEW = 16  # numbers per node that may be copied


class InEdges(Protocol):
    """The in-edges of N nodes, as `jdgnn.network.topology.Topology` has them."""

    receivers: jax.Array  # [E] int32, ascending
    in_degree: jax.Array  # [N] int32
    in_offset: jax.Array  # [N] int32
    in_tree: tuple[jax.Array, ...]  # tables of `jdgnn.backend.accelerator.sum_tree`; empty if nobody needs them


def gather(table: jax.Array, row: jax.Array) -> jax.Array:
    """Rows by number, zeros if a number is out of range."""
    return table.at[row].get(mode="fill", fill_value=0)


def gather_known(table: jax.Array, row: jax.Array) -> jax.Array:
    """Rows by number, none out of range."""
    return table[row]


def write_rows(target: jax.Array, to: jax.Array, source: jax.Array, origin: jax.Array) -> jax.Array:
    """Writes rows of the source over rows of the target."""
    chex.assert_rank([to, source, origin], [1, 2, 1])
    chex.assert_equal_shape([to, origin])
    if target.size == 0 or to.size == 0:
        return target
    rows = target.reshape(-1, target.shape[-1])
    return rows.at[to].set(source[origin], mode="drop").reshape(target.shape)


def replace_rows(target: jax.Array, mask: jax.Array, source: jax.Array, origin: jax.Array) -> jax.Array:
    """Replaces rows of the target by rows of the source where the mask is True."""
    chex.assert_rank([target, source], 2)
    chex.assert_shape([mask, origin], target.shape[:1])
    return jnp.where(mask[:, None], source[origin], target)


def copy_rows(
    target: Any, to: jax.Array, source: Any, origin: jax.Array, count: jax.Array, usual: int | None = None
) -> Any:
    """Copies rows from one tree into another, in place and block by block, in time proportional to `count`."""
    del usual
    if to.size == 0:
        return target
    nowhere = jnp.iinfo(jnp.int32).max
    padding = (0, -to.size % COPIED)
    to = jnp.pad(to, padding, constant_values=nowhere)
    origin = jnp.pad(origin, padding)

    def block(number: jax.Array, target: Any) -> Any:
        here, there = (jax.lax.dynamic_slice(side, (number * COPIED,), (COPIED,)) for side in (to, origin))
        here = jnp.where(number * COPIED + jnp.arange(COPIED, dtype=jnp.int32) < count, here, nowhere)
        return put(target, here, take(source, there))

    return jax.lax.fori_loop(0, (count + COPIED - 1) // COPIED, block, target)


def arrivals(num_nodes: int, dst: jax.Array, *order: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Sorts messages by receiver and then by order of arrival."""
    chex.assert_rank(dst, 1)
    chex.assert_equal_shape([dst, *order])
    index = jnp.arange(dst.size, dtype=jnp.int32)
    dst, *_, index = jax.lax.sort((dst, *order, index), num_keys=1 + len(order), is_stable=True)
    num_received = jnp.zeros(num_nodes, jnp.int32).at[dst].add(1, mode="drop", indices_are_sorted=True)
    first = jnp.cumsum(num_received, dtype=jnp.int32) - num_received
    position = jnp.arange(dst.size, dtype=jnp.int32) - first.at[dst].get(mode="fill", fill_value=0)
    return index, dst, position, num_received


def sum_over_edges(
    vectors: jax.Array, weights: jax.Array, in_edges: InEdges, own: jax.Array | None = None
) -> jax.Array:
    """Weighted sums over the in-edges of each node."""
    dims = chex.Dimensions(N=in_edges.in_degree.shape[0])
    dims["EF"] = vectors.shape
    chex.assert_shape([weights, in_edges.receivers], dims["E"])
    if own is not None:
        chex.assert_shape(own, dims["NF"])
    column = weights[:, None]
    weighted = jnp.where(column, vectors, 0) if weights.dtype == bool else column * vectors
    num_nodes = in_edges.in_degree.shape[0]
    total = jax.ops.segment_sum(weighted, in_edges.receivers, num_nodes, indices_are_sorted=True)
    return total if own is None else total + own


def mean_over_nodes(values: jax.Array, mask: jax.Array | None) -> jax.Array:
    """Mean over the nodes that count; None for all."""
    if mask is None:
        return sum_over_nodes(values) / values.shape[0]
    count = jnp.sum(mask, dtype=jax.eval_shape(widened, values).dtype)
    return jnp.where(count > 0, sum_over_nodes(values, mask) / jnp.maximum(count, 1), jnp.nan)


def sum_over_nodes(values: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """Sum over the nodes of [N, ...] that count [N]: [...], in blocks so that a million float32 keep their digits."""
    num_nodes = values.shape[0]
    mask = jnp.ones(num_nodes, bool) if mask is None else mask
    if values[:1].size <= FEW:
        values = widened(values)
        counted = jnp.where(mask.reshape(num_nodes, *(1,) * (values.ndim - 1)), values, 0)
        num_whole = num_nodes // SUMMED * SUMMED
        blocks = counted[:num_whole].reshape(-1, SUMMED, *values.shape[1:])
        return jnp.sum(jnp.sum(blocks, axis=1), axis=0) + jnp.sum(counted[num_whole:], axis=0)
    size = min(SUMMED, num_nodes)

    def block(number: jax.Array, total: jax.Array) -> jax.Array:
        start = jnp.minimum(number * size, num_nodes - size)
        rows, counts = (jax.lax.dynamic_slice_in_dim(array, start, size) for array in (values, mask))
        is_new = start + jnp.arange(size, dtype=jnp.int32) >= number * size  # the last block reaches back
        column = (counts & is_new).reshape(size, *(1,) * (values.ndim - 1))
        return total + jnp.sum(jnp.where(column, widened(rows), 0), axis=0)

    nothing = jnp.zeros(values.shape[1:], jax.eval_shape(widened, values).dtype)
    return jax.lax.fori_loop(0, -(-num_nodes // max(size, 1)), block, nothing)


def distances(values: jax.Array, centre: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Squared distance of each node's numbers from the centre, and their squared norm."""
    chex.assert_shape(centre, values.shape[1:])

    def one(own: jax.Array) -> tuple[jax.Array, jax.Array]:
        own = widened(own)
        return optax.tree.norm(own - centre, squared=True), optax.tree.norm(own, squared=True)

    found: tuple[jax.Array, jax.Array] = in_blocks(per_node(one), values, SUMMED)
    return found


def norms(params: Any) -> jax.Array:
    """Norm of each node's parameters, a tree of [N, ...]: [N]."""
    found: jax.Array = in_blocks(per_node(lambda own: optax.tree.norm(widened(own))), params, SUMMED)
    return found


def quantiles(values: jax.Array, mask: jax.Array, levels: jax.Array) -> jax.Array:
    """Quantiles over the nodes where the mask is True, as values that occur; NaN over none."""
    chex.assert_rank([values, levels], 1)
    chex.assert_equal_shape([values, mask])
    count = jnp.sum(mask, dtype=jnp.int32)
    ordered = jnp.sort(jnp.where(mask, values, jnp.nan))
    place = jnp.round(levels * (count - 1).astype(jnp.float32)).astype(jnp.int32)
    return jnp.where(count > 0, ordered[jnp.clip(place, 0)], jnp.nan)
