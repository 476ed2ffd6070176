"""Rows of trees whose arrays have the same first axis: one row per node, or per place of a pool."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.kernels import calls, library

BLOCK = 64  # rows copied at once: small enough for the cache
FEWEST_ROWS = 4096  # of which some are treated at a time
NUM_BLOCKS = 64
PARTS = 16


def take(tree: Any, index: jax.Array | None) -> Any:
    """The rows `index` [n] of every array; whatever where it is out of range; all of them for None."""
    return tree if index is None else jax.tree.map(lambda leaf: leaf.at[index].get(mode="clip"), tree)


def take_or_zero(array: jax.Array, index: jax.Array) -> jax.Array:
    """The rows `index` [...] int32 of an array, zeros where it is out of range."""
    if library.are_used() and array.size and index.size:
        return calls.gather(array, index)
    return array.at[index].get(mode="fill", fill_value=0)


def take_all(array: jax.Array, index: jax.Array) -> jax.Array:
    """The rows `index` [...] int32 of an array, none of which is out of range."""
    return calls.gather(array, index) if library.are_used() and array.size and index.size else array[index]


def put(tree: Any, index: jax.Array | None, rows: Any) -> Any:
    """Writes rows over those of numbers `index` [n]; nowhere where it is out of range; over all of them for None."""
    return rows if index is None else jax.tree.map(lambda leaf, row: leaf.at[index].set(row, mode="drop"), tree, rows)


def select(mask: jax.Array | None, new: Any, old: Any) -> Any:
    """Takes rows of `new` where the mask [n] is True and those of `old`, bit for bit, elsewhere; None takes `new`."""
    if mask is None:
        return new
    return jax.tree.map(lambda n, o: jnp.where(mask.reshape(mask.shape + (1,) * (n.ndim - 1)), n, o), new, old)


def once(condition: jax.Array, function: Callable[[Any], Any], carry: Any) -> Any:
    """`function(carry)` if the condition holds, else the carry; unlike a branch, a loop changes its carry in place."""
    done = jnp.zeros((), bool)
    return jax.lax.while_loop(lambda held: held[0], lambda held: (done, function(held[1])), (condition, carry))[1]


def write_rows(target: jax.Array, to: jax.Array, source: jax.Array, origin: jax.Array) -> jax.Array:
    """Writes rows `origin` [n] of the source [Q, F] over rows `to` [n] of the target [..., F].

    Rows of the target are counted along all axes but the last; nothing is written where `to` is out of range, and no
    row may be written twice.
    """
    if target.size == 0 or to.size == 0:
        return target
    if library.are_used():
        return calls.copy_rows(target, to, source, origin)
    rows = target.reshape(-1, target.shape[-1])
    return rows.at[to].set(source[origin], mode="drop").reshape(target.shape)


def replace_rows(target: jax.Array, mask: jax.Array, source: jax.Array, origin: jax.Array) -> jax.Array:
    """Takes row `origin` of the source in place of each row of the target where the mask is True, all [n]."""
    if library.are_used() and target.size:
        number = jnp.arange(mask.size, dtype=jnp.int32)
        return calls.copy_rows(target, jnp.where(mask, number, mask.size), source, origin)
    return jnp.where(mask[:, None], source[origin], target)


def by_block(function: Callable[[Any, Any], tuple[Any, Any]], held: Any, given: Any) -> tuple[Any, Any]:
    """Maps `function(held, given) -> (held, results)` over rows, some at a time where there are many.

    What is held is changed in place, and no more is computed with at once than a block needs.

    Args:
      function: treats each row by itself; trees of arrays [n, ...] come in and go out.
      held: what is changed.
      given: what is read.

    Returns:
      What is held afterwards, and the results.
    """
    num_rows = jax.tree.leaves(given)[0].shape[0]
    if num_rows < FEWEST_ROWS:
        return function(held, given)
    size = -(-num_rows // NUM_BLOCKS)
    shapes = jax.eval_shape(function, held, given)[1]
    empty = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

    def block(number: jax.Array, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        start = jnp.minimum(number * size, num_rows - size)
        is_new = start + jnp.arange(size, dtype=jnp.int32) >= number * size  # the last block reaches back
        rows, before = _slice(given, start, size), _slice(carry, start, size)
        # A loop of one round, which keeps the compiler from computing some of it anew from what is already overwritten,
        # for which it would copy all that is held.
        after = once(is_new[-1], lambda before: select(is_new, function(before[0], rows), before), before)
        return jax.tree.map(lambda all_, new: jax.lax.dynamic_update_slice_in_dim(all_, new, start, 0), carry, after)

    return jax.lax.fori_loop(0, -(-num_rows // size), block, (held, empty))


def some_at_a_time(function: Callable[[Any], Any], given: Any) -> Any:
    """Maps `function(given)`, which treats each row by itself, over rows, some at a time where there are many."""
    num_rows = jax.tree.leaves(given)[0].shape[0]
    if num_rows < FEWEST_ROWS:
        return function(given)
    size = -(-num_rows // PARTS)
    empty = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(function, given))

    def part(number: jax.Array, results: Any) -> Any:
        start = jnp.minimum(number * size, num_rows - size)
        return jax.tree.map(
            lambda all_, new: jax.lax.dynamic_update_slice_in_dim(all_, new, start, 0),
            results,
            function(_slice(given, start, size)),
        )

    return jax.lax.fori_loop(0, PARTS, part, empty)


def _slice(tree: Any, start: jax.Array, size: int) -> Any:
    return jax.tree.map(lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, start, size), tree)


def copy_rows(target: Any, to: jax.Array, source: Any, origin: jax.Array, count: jax.Array) -> Any:
    """Copies rows from one tree into another, in place and block by block, in time that grows with `count` alone.

    Args:
      target: where they go.
      to: numbers of the rows written [n]; out of range for nowhere.
      source: where they come from.
      origin: numbers of the rows read [n].
      count: how many of the n to copy.

    Returns:
      The target.
    """
    if to.size == 0:
        return target
    if library.are_used():
        kept = jnp.where(jnp.arange(to.size, dtype=jnp.int32) < count, to, -1)
        return jax.tree.map(
            lambda old, new: calls.copy_rows(old, kept, new, origin) if old.size else old, target, source
        )
    padding = (0, -to.size % BLOCK)
    to = jnp.pad(to, padding, constant_values=jnp.iinfo(jnp.int32).max)
    origin = jnp.pad(origin, padding)

    def block(number: jax.Array, target: Any) -> Any:
        here, there = (jax.lax.dynamic_slice(side, (number * BLOCK,), (BLOCK,)) for side in (to, origin))
        here = jnp.where(number * BLOCK + jnp.arange(BLOCK, dtype=jnp.int32) < count, here, jnp.iinfo(jnp.int32).max)
        return put(target, here, take(source, there))

    return jax.lax.fori_loop(0, (count + BLOCK - 1) // BLOCK, block, target)
