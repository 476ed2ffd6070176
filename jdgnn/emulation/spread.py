"""How far the nodes' models are apart, and how large they are; without a second copy of all of them.

Axes: N nodes, L layers.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jdgnn.checks import check_not_consumed
from jdgnn.emulation.per_node import per_node
from jdgnn.emulation.storage import widened
from jdgnn.kernels import calls, library

BLOCK = 1024
FEW = 16  # numbers per node of which a copy may be made


class Spread(NamedTuple):
    """How models lie around their mean θ̄, by layer."""

    deviation: jax.Array  # [L, N], ‖θᵥ − θ̄‖²
    square: jax.Array  # [L, N], ‖θᵥ‖²
    scale: jax.Array  # [L], ‖θ̄‖²


def spread_of(params: Sequence[Any], mask: jax.Array | None = None) -> Spread:
    """Measures how models lie around their mean.

    Args:
      params: parameters of all nodes, per layer [N, ...].
      mask: nodes over which the mean model is taken [N]; None for all.

    Returns:
      Squared distances and norms, by layer and node.
    """
    layers = [_spread_of_layer(layer, mask) for layer in params]
    return Spread(*map(jnp.stack, zip(*layers, strict=True)))


def _spread_of_layer(layer: Any, mask: jax.Array | None) -> tuple[jax.Array, jax.Array, jax.Array]:
    leaves = jax.tree.leaves(layer)
    centres = [mean_over_nodes(leaf, mask) for leaf in leaves]
    parts = [_distances(*pair) for pair in zip(leaves, centres, strict=True)]
    deviation, square = (sum(part[1:], start=part[0]) for part in zip(*parts, strict=True))
    return deviation, square, optax.tree.norm(centres, squared=True)


def _distances(leaf: jax.Array, centre: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Squared distance of each node's numbers [N, ...] from the centre [...], and their squared norm, both [N]."""
    if library.are_used() and leaf.size and leaf.dtype in library.DTYPES:
        return calls.distances(leaf, centre)

    def one(own: jax.Array) -> tuple[jax.Array, jax.Array]:
        own = widened(own)
        return optax.tree.norm(own - centre, squared=True), optax.tree.norm(own, squared=True)

    return _by_block(per_node(one), leaf)


def norms(params: Any) -> jax.Array:
    """Norm of each node's parameters, a tree of [N, ...]: [N]."""
    return _by_block(per_node(lambda own: optax.tree.norm(widened(own))), params)


def consensus_distance(params: Any, mask: jax.Array | None = None) -> jax.Array:
    """How far the nodes' models are apart: mean over nodes of ‖θᵥ − θ̄‖² / ‖θ̄‖², with θ̄ the mean model.

    Args:
      params: parameters of all nodes, a tree of [N, ...].
      mask: nodes that count [N]; None for all.

    Returns:
      The distance, zero if all models are equal.

    Raises:
      InputError: the parameters were consumed.

    Example:
      >>> float(consensus_distance(jnp.array([[1.0], [3.0]])))
      0.25
    """
    check_not_consumed("params", params)
    around = spread_of((params,), mask)
    return mean_over_nodes(around.deviation[0], mask) / around.scale[0]


def mean_over_nodes(values: jax.Array, mask: jax.Array | None) -> jax.Array:
    """Mean of [N, ...] over the nodes that count: [...], NaN if there is none."""
    if library.are_used() and values.size and values.dtype in library.DTYPES:
        return calls.mean(values, jnp.ones(values.shape[0], bool) if mask is None else mask)
    if mask is None:
        return sum_over_nodes(values) / values.shape[0]
    count = jnp.sum(mask, dtype=jax.eval_shape(widened, values).dtype)
    return jnp.where(count > 0, sum_over_nodes(values, mask) / jnp.maximum(count, 1), jnp.nan)


def sum_over_nodes(values: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """Sum over the node axis of [N, ...]: [...], block by block so that a million float32 keep their digits.

    Args:
      values: what is summed.
      mask: nodes that count [N]; None for all.
    """
    num_nodes = values.shape[0]
    mask = jnp.ones(num_nodes, bool) if mask is None else mask
    if values[:1].size <= FEW:
        values = widened(values)
        counted = jnp.where(mask.reshape(num_nodes, *(1,) * (values.ndim - 1)), values, 0)
        num_whole = num_nodes // BLOCK * BLOCK
        blocks = counted[:num_whole].reshape(-1, BLOCK, *values.shape[1:])
        return jnp.sum(jnp.sum(blocks, axis=1), axis=0) + jnp.sum(counted[num_whole:], axis=0)
    size = min(BLOCK, num_nodes)

    def block(number: jax.Array, total: jax.Array) -> jax.Array:
        start = jnp.minimum(number * size, num_nodes - size)
        rows, counts = (jax.lax.dynamic_slice_in_dim(array, start, size) for array in (values, mask))
        is_new = start + jnp.arange(size, dtype=jnp.int32) >= number * size  # the last block reaches back
        column = (counts & is_new).reshape(size, *(1,) * (values.ndim - 1))
        return total + jnp.sum(jnp.where(column, widened(rows), 0), axis=0)

    nothing = jnp.zeros(values.shape[1:], jax.eval_shape(widened, values).dtype)
    return jax.lax.fori_loop(0, -(-num_nodes // max(size, 1)), block, nothing)


def _by_block(function: Callable[[Any], Any], tree: Any) -> Any:
    """`function(tree)` for one that maps rows [n, ...] to [n], some rows at a time."""
    num_nodes = jax.tree.leaves(tree)[0].shape[0]
    size = min(BLOCK, num_nodes)

    def block(number: jax.Array, results: Any) -> Any:
        start = jnp.minimum(number * size, num_nodes - size)
        rows = jax.tree.map(lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, start, size), tree)
        return jax.tree.map(
            lambda all_, new: jax.lax.dynamic_update_slice_in_dim(all_, new, start, 0), results, function(rows)
        )

    empty = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(function, tree))
    return jax.lax.fori_loop(0, -(-num_nodes // max(size, 1)), block, empty)
