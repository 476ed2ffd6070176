"""Rows of trees whose arrays have the same first axis: one row per node, or per place of a pool."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

BLOCK = 64  # rows copied at once: small enough for the cache


def take(tree: Any, index: jax.Array | None) -> Any:
    """The rows `index` [n] of every array; whatever where it is out of range; all of them for None."""
    return tree if index is None else jax.tree.map(lambda leaf: leaf.at[index].get(mode="clip"), tree)


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
    padding = (0, -to.size % BLOCK)
    to = jnp.pad(to, padding, constant_values=jnp.iinfo(jnp.int32).max)
    origin = jnp.pad(origin, padding)

    def block(number: jax.Array, target: Any) -> Any:
        here, there = (jax.lax.dynamic_slice(side, (number * BLOCK,), (BLOCK,)) for side in (to, origin))
        here = jnp.where(number * BLOCK + jnp.arange(BLOCK, dtype=jnp.int32) < count, here, jnp.iinfo(jnp.int32).max)
        return put(target, here, take(source, there))

    return jax.lax.fori_loop(0, (count + BLOCK - 1) // BLOCK, block, target)
