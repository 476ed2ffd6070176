"""Operations on whole arrays, as a compiler for accelerators fuses them into few passes; they also run on a CPU.

Nothing is cut into blocks, no two messages are added in an order that is left to chance, and a step that is deferred is
computed again wherever its result is read, so that it costs no pass over the parameters of its own.
Axes: N nodes, E directed edges, M models in an inbox, R rows of a matrix, C columns, W values that are added at once.
"""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.layout import Layout, with_layout_constraint

from jdgnn.backend.bfloat16 import rounded_rows, widened
from jdgnn.backend.calls import Affine, Exchange, Rounding, Step
from jdgnn.backend.plain import InEdges
from jdgnn.backend.rows import put, take

Rows = TypeVar("Rows", Affine, Step)
WIDTH = 8  # values added at once where a node's in-edges are summed


def plan(source: jax.Array, active: jax.Array) -> jax.Array:
    """Models need no order, since a merge reads them all before it writes; what remains is who takes part [N]."""
    del source
    return active


def merge(
    own: Affine, sent: Affine | None, exchange: Exchange, pending: Step | None, inputs: jax.Array | None
) -> tuple[Affine, jax.Array]:
    """Makes pending steps, merges, and multiplies by inputs of the layer; see `jdgnn.backend.calls.merge`."""
    num_nodes, num_slots = exchange.source.shape
    there, step = (own, pending) if sent is None else (sent, None)
    held = own if pending is None else _stepped(own, pending)
    for slot in range(num_slots):
        source = exchange.source[:, slot]
        is_merged = (source >= 0) & (source < there.matrix.shape[0]) & exchange.plan
        rows = jnp.clip(source, 0, there.matrix.shape[0] - 1)
        received = _rows(there, rows) if step is None else _stepped(_rows(there, rows), _rows(step, rows))
        share = jnp.where(is_merged, exchange.share[:, slot], 0)
        mixed = Affine(*(_mixed(mine, came, share) for mine, came in zip(held, received, strict=True)))
        rounding = exchange.rounding
        held = _stored(mixed, own, None if rounding is None else Rounding(*(seed[:, slot] for seed in rounding)))
    matrix, bias = widened(held)
    inputs = jnp.zeros((num_nodes, 0, matrix.shape[1]), matrix.dtype) if inputs is None else inputs
    # a sum, and no product of matrices, which would be a pass of its own over the parameters
    product = jnp.sum(inputs[..., None] * matrix[:, None], axis=2)
    return held, product + bias[:, None] if bias.shape[1] else product


def node_major(tree: Any) -> Any:
    """The same arrays, each node's numbers side by side in memory: otherwise rows could not be gathered as a whole."""
    return jax.tree.map(lambda leaf: with_layout_constraint(leaf, Layout(tuple(range(leaf.ndim)))), tree)


def descend(own: Affine, step: Step) -> Affine:
    """Makes steps of gradient descent."""
    return _stepped(own, step)


def sum_tree(in_degree: np.ndarray) -> tuple[np.ndarray, ...]:
    """The order in which values over edges, sorted by receiver, are summed at each node: as a tree of gathers.

    Args:
      in_degree: of each node [N].

    Returns:
      Tables [rows, up to W] int32 of what each row of a level adds, as numbers of rows of the level below, of values at
      the lowest; a number that is out of range stands for zero. The last has a row for each node.
    """
    tables, counts = [], np.asarray(in_degree, np.int64)
    while True:
        is_last = counts.max(initial=0) <= WIDTH
        rows = np.ones_like(counts) if is_last else -(-counts // WIDTH)
        width = max(1, int(counts.max(initial=0))) if is_last else WIDTH
        owner = np.repeat(np.arange(counts.size), rows)
        number = np.arange(owner.size) - np.repeat(np.cumsum(rows) - rows, rows)
        first = (np.cumsum(counts) - counts)[owner] + number * WIDTH
        place = number[:, None] * WIDTH + np.arange(width)
        is_there = place < counts[owner][:, None]
        table = np.where(is_there, first[:, None] + np.arange(width), counts.sum())
        tables.append(table.astype(np.int32))
        if is_last:
            return tuple(tables)
        counts = rows


def tree_sum(values: jax.Array, tree: tuple[jax.Array, ...]) -> jax.Array:
    """Sums values over edges [E, ...] at each node: [N, ...], in an order that is the same in every run."""
    if not values.shape[0]:
        return jnp.zeros((tree[-1].shape[0], *values.shape[1:]), values.dtype)
    for table in tree:
        values = jnp.sum(values.at[table].get(mode="fill", fill_value=0), axis=1)
    return values


def sum_over_edges(
    vectors: jax.Array, weights: jax.Array, in_edges: InEdges, own: jax.Array | None = None
) -> jax.Array:
    """Weighted sums over the in-edges of each node; see `jdgnn.backend.backend`."""
    column = weights[:, None]
    weighted = jnp.where(column, vectors, 0) if weights.dtype == bool else column * vectors
    total = tree_sum(weighted, in_edges.in_tree)
    return total if own is None else total + own


def write_rows(target: jax.Array, to: jax.Array, source: jax.Array, origin: jax.Array) -> jax.Array:
    """Writes rows of the source over rows of the target; no two of them to one place."""
    if target.size == 0 or to.size == 0:
        return target
    rows = target.reshape(-1, target.shape[-1])
    # also those that are out of range differ, which is what `unique_indices` promises
    apart = jnp.iinfo(jnp.int32).max - jnp.arange(to.size, dtype=jnp.int32)
    to = jnp.where((to >= 0) & (to < rows.shape[0]), to, apart)
    return rows.at[to].set(source[origin], mode="drop", unique_indices=True).reshape(target.shape)


def copy_rows(
    target: Any, to: jax.Array, source: Any, origin: jax.Array, count: jax.Array, usual: int | None = None
) -> Any:
    """Copies rows from one tree into another, in place; as many at a time as there usually are."""
    if to.size == 0:
        return target
    size = min(to.size, max(1, usual or to.size))
    padding = (0, -to.size % size)
    number = jnp.arange(to.size + padding[1], dtype=jnp.int32)
    to, origin = jnp.pad(to, padding), jnp.pad(origin, padding)
    to = jnp.where(number < count, to, jnp.iinfo(jnp.int32).max - number)  # no two are equal

    def block(first: jax.Array, target: Any) -> Any:
        here, there = (jax.lax.dynamic_slice(side, (first * size,), (size,)) for side in (to, origin))
        return put(target, here, take(source, there), is_unique=True)

    if size == to.size:
        return block(jnp.int32(0), target)
    with jax.named_scope("expected_trips_1"):
        return jax.lax.fori_loop(0, (count + size - 1) // size, block, target)


def mean_over_nodes(values: jax.Array, mask: jax.Array | None) -> jax.Array:
    """Mean over the nodes that count; None for all."""
    values = widened(values)
    if mask is None:
        return jnp.mean(values, axis=0)
    counted = jnp.where(mask.reshape(-1, *(1,) * (values.ndim - 1)), values, 0)
    count = jnp.sum(mask, dtype=values.dtype)
    return jnp.where(count > 0, jnp.sum(counted, axis=0) / jnp.maximum(count, 1), jnp.nan)


def distances(values: jax.Array, centre: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Squared distance of each node's numbers from the centre, and their squared norm."""
    values, axes = widened(values), tuple(range(1, values.ndim))
    return jnp.sum((values - centre) ** 2, axis=axes), jnp.sum(values**2, axis=axes)


def _rows(tree: Rows, rows: jax.Array) -> Rows:
    taken: Rows = jax.tree.map(lambda leaf: leaf.at[rows].get(mode="promise_in_bounds"), tree)
    return taken


def _stepped(own: Affine, step: Step) -> Affine:
    scaled = jnp.where(step.is_stepping[:, None], step.scaled, 0)
    matrix, bias = widened(own)
    moved = Affine(matrix - step.input[:, :, None] * scaled[:, None, :], bias - scaled if bias.shape[1] else bias)
    return _stored(moved, own, step.rounding)


def _stored(new: Affine, kept: Affine, rounding: Rounding | None) -> Affine:
    if rounding is None:
        return new
    return Affine(*(rounded_rows(*arrays) for arrays in zip(new, kept, rounding, strict=True)))


def _mixed(own: jax.Array, received: jax.Array, share: jax.Array) -> jax.Array:
    own = widened(own)
    return own + share.reshape(-1, *(1,) * (own.ndim - 1)) * (widened(received) - own)
