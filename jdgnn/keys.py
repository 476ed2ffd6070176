"""PRNG keys among the arrays of a tree, and raw ones, which are rejected."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.errors import InputError

RAW_LENGTHS = (2, 4)  # words of a raw key, by the kinds of generators that JAX has


def is_key(leaf: Any) -> bool:
    """Whether an array, or its shape, is of typed PRNG keys, as `jax.random.key(0)` makes them."""
    return bool(jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key))


def on_host(tree: Any) -> Any:
    """A tree of arrays as NumPy arrays; keys stay where they are."""
    return jax.tree.map(lambda leaf: leaf if is_key(leaf) else np.asarray(leaf), tree)


def impl_of(keys: Any) -> str:
    """The name of the generator of keys, or of shapes of keys.

    Example:
      >>> impl_of(jax.eval_shape(lambda: jax.random.key(0, impl="rbg")))
      'rbg'
    """
    found: list[str] = []
    jax.eval_shape(lambda traced: found.append(str(jax.random.key_impl(traced))), keys)
    return found[0]


def reject_raw(what: str, state: Any) -> None:
    """Raises InputError if a state, or its shapes, has an array that looks like a raw key.

    What is a key must be known, as each node gets another one; of raw ones nobody can tell.

    Args:
      what: whose state it is, as errors should name it.
      state: a tree of arrays or shapes.

    Raises:
      InputError: an array is of unsigned words in the number of a raw key.

    Example:
      >>> reject_raw("optimizer.init", {"key": jax.random.PRNGKey(0)})  # doctest: +ELLIPSIS
      Traceback (most recent call last):
      jdgnn.errors.InputError: optimizer.init: its state has ['key'] uint32[2], as of jax.random.PRNGKey(0): ...
    """
    for path, leaf in jax.tree.leaves_with_path(state):
        if leaf.dtype == jnp.uint32 and leaf.shape[-1:] and leaf.shape[-1] in RAW_LENGTHS:
            place = jax.tree_util.keystr(path) or "an array"
            raise InputError(
                f"{what}: its state has {place} {leaf.dtype}{list(leaf.shape)}, as of jax.random.PRNGKey(0): all nodes "
                "would draw the same. Write jax.random.key(0), of which each node gets a key of its own; and int32 for "
                "whole numbers that are no key"
            )
