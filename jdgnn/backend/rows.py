"""Rows of trees whose arrays have the same first axis: one row per node, or per place of a pool."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

FEWEST_ROWS = 4096  # fewer are treated at once
NUM_BLOCKS = 64
PARTS = 16


def take(tree: Any, index: jax.Array | None) -> Any:
    """The rows `index` [n] of every array, any row if out of range; all rows for None."""
    return tree if index is None else jax.tree.map(lambda leaf: leaf.at[index].get(mode="clip"), tree)


def put(tree: Any, index: jax.Array | None, rows: Any, *, is_unique: bool = False) -> Any:
    """Writes rows over those of numbers `index` [n], none if out of range; over all rows for None.

    `is_unique` states that no two numbers are equal, also of those that are out of range.
    """
    if index is None:
        return rows
    return jax.tree.map(lambda leaf, row: leaf.at[index].set(row, mode="drop", unique_indices=is_unique), tree, rows)


def select(mask: jax.Array | None, new: Any, old: Any) -> Any:
    """Takes rows of `new` where the mask [n] is True and those of `old`, bit for bit, elsewhere; None takes `new`."""
    if mask is None:
        return new
    return jax.tree.map(lambda n, o: jnp.where(mask.reshape(mask.shape + (1,) * (n.ndim - 1)), n, o), new, old)


def once(condition: jax.Array, function: Callable[[Any], Any], carry: Any, *, usually: bool = True) -> Any:
    """`function(carry)` if the condition holds, else the carry; `usually` is for who counts what a program does."""
    done = jnp.zeros((), bool)  # unlike a branch, a loop changes its carry in place
    with jax.named_scope(f"expected_trips_{int(usually)}"):
        return jax.lax.while_loop(lambda held: held[0], lambda held: (done, function(held[1])), (condition, carry))[1]


def by_block(
    function: Callable[[Any, Any], tuple[Any, Any]], held: Any, given: Any, *, blocks: bool = True
) -> tuple[Any, Any]:
    """Maps `function(held, given) -> (held, results)`, which treats each row by itself, in blocks if there are many.

    What is `held` is changed in place, and memory is needed for one block only.
    """
    num_rows = jax.tree.leaves(given)[0].shape[0]
    if num_rows < FEWEST_ROWS or not blocks:
        return function(held, given)
    size = -(-num_rows // NUM_BLOCKS)
    shapes = jax.eval_shape(function, held, given)[1]
    empty = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

    def block(number: jax.Array, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        start = jnp.minimum(number * size, num_rows - size)
        is_new = start + jnp.arange(size, dtype=jnp.int32) >= number * size  # the last block reaches back
        rows, before = _slice(given, start, size), _slice(carry, start, size)
        # A loop of one round: else the compiler would recompute some values from rows that are already overwritten, for
        # which it would copy all that is held.
        after = once(is_new[-1], lambda before: select(is_new, function(before[0], rows), before), before)
        return jax.tree.map(lambda all_, new: jax.lax.dynamic_update_slice_in_dim(all_, new, start, 0), carry, after)

    return jax.lax.fori_loop(0, -(-num_rows // size), block, (held, empty))


def some_at_a_time(function: Callable[[Any], Any], given: Any, *, blocks: bool = True) -> Any:
    """Maps `function(given)`, which treats each row by itself, in blocks if there are many rows."""
    # So the gather of all positives, which is as large as all sample buffers, never exists.
    num_rows = jax.tree.leaves(given)[0].shape[0]
    is_whole = num_rows < FEWEST_ROWS or not blocks
    return function(given) if is_whole else in_blocks(function, given, -(-num_rows // PARTS))


def in_blocks(function: Callable[[Any], Any], given: Any, size: int) -> Any:
    """Maps `function(given)`, which treats each row by itself, in blocks of `size` rows, so that little is copied."""
    num_rows = jax.tree.leaves(given)[0].shape[0]
    size = min(size, num_rows)
    empty = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(function, given))

    def block(number: jax.Array, results: Any) -> Any:
        start = jnp.minimum(number * size, num_rows - size)
        new = function(_slice(given, start, size))
        return jax.tree.map(lambda all_, new: jax.lax.dynamic_update_slice_in_dim(all_, new, start, 0), results, new)

    return jax.lax.fori_loop(0, -(-num_rows // max(size, 1)), block, empty)


def _slice(tree: Any, start: jax.Array, size: int) -> Any:
    return jax.tree.map(lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, start, size), tree)
