"""Parameters stored in bfloat16: widened for computation, and rounded stochastically when stored.

This halves the bytes, and steps far below the spacing of stored numbers still count on average (Gupta et al., "Deep
Learning with Limited Numerical Precision", ICML 2015). Numbers that do not change are kept bit for bit. Axes: N nodes.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp

STORED, PACKED = jnp.bfloat16, jnp.uint16
COMPUTED = jnp.float32  # its upper half is the stored number
GOLDEN = 0x9E3779B9  # 2³² over the golden ratio: multiples of it are spread evenly
MERGING, FIRST_LAYER = 2**30, 2**30 + 1  # purposes of `seeds`; layers follow the first


def packed(tree: Any) -> Any:
    """bfloat16 arrays as their bits, other arrays as they are."""
    # Compilers for CPUs convert a whole bfloat16 array to move some of its rows, but not an array of integers.
    return jax.tree.map(lambda leaf: _bits(leaf) if leaf.dtype == STORED else leaf, tree)


def unpacked(tree: Any) -> Any:
    """Undoes `packed`."""
    return jax.tree.map(lambda leaf: jax.lax.bitcast_convert_type(leaf, STORED) if leaf.dtype == PACKED else leaf, tree)


def widened(tree: Any) -> Any:
    """bfloat16 arrays, packed or not, as float32; other arrays as they are."""
    return jax.tree.map(lambda leaf: _widened(leaf) if leaf.dtype in (STORED, PACKED) else leaf, tree)


def _widened(kept: jax.Array) -> jax.Array:
    bits = kept if kept.dtype == PACKED else _bits(kept)
    return jax.lax.bitcast_convert_type(bits.astype(jnp.uint32) << 16, COMPUTED)


def _bits(kept: jax.Array) -> jax.Array:
    return jax.lax.bitcast_convert_type(kept, PACKED)


def nearest(tree: Any) -> Any:
    """Float32 arrays rounded to the nearest bfloat16; other arrays as they are."""
    return jax.tree.map(lambda leaf: leaf.astype(STORED) if leaf.dtype == COMPUTED else leaf, tree)


def kept_as(kept: Any, computed: Any) -> Any:
    """Rounds to the nearest bfloat16 where `kept` is in it, packed where `kept` is packed."""

    def like(old: jax.Array, new: jax.Array) -> jax.Array:
        return _bits(new.astype(STORED)) if old.dtype == PACKED else new.astype(old.dtype)

    return jax.tree.map(like, kept, computed)


def seeds(key: jax.Array, purpose: int, num_nodes: int) -> jax.Array:
    """A seed for each node [N] uint32, for the rounding of one tick by one purpose."""
    return jax.random.bits(jax.random.fold_in(key, purpose), (num_nodes,), jnp.uint32)


def rounded(new: Any, kept: Any, seed: jax.Array, offset: jax.Array | int = 0, first: int = 0) -> Any:
    """Rounds parameters of one node stochastically to one of the two nearest bfloat16, where `kept` is in bfloat16.

    If only a part is given, `offset` is the count of numbers of each array before it, and `first` the number of the
    first array.
    """
    leaves, structure = jax.tree.flatten(new)
    old = jax.tree.leaves(kept)
    done = [
        _rounded(leaf, leaf_seed(seed, number), offset, before.dtype) if before.dtype in (STORED, PACKED) else leaf
        for number, (leaf, before) in enumerate(zip(leaves, old, strict=True), start=first)
    ]
    return jax.tree.unflatten(structure, done)


def rounded_rows(new: jax.Array, kept: jax.Array, seed: jax.Array) -> jax.Array:
    """Rounds one array of all nodes [N, ...] as `rounded` does; seeds [N] are those of the array, from `leaf_seed`."""
    return jax.vmap(lambda values, seed: _rounded(values, seed, 0, kept.dtype))(new, seed)


def leaf_seed(seed: jax.Array, number: int) -> jax.Array:
    """The seed of an array, by its number among those that are rounded by the same seeds."""
    return _mixed(seed + jnp.uint32(GOLDEN * number % 2**32))


def _rounded(values: jax.Array, seed: jax.Array, offset: jax.Array | int, dtype: Any) -> jax.Array:
    place = jnp.arange(math.prod(values.shape), dtype=jnp.uint32).reshape(values.shape) + jnp.asarray(
        offset, jnp.uint32
    )
    noise = _mixed(seed ^ place * jnp.uint32(GOLDEN)) >> 16
    exact = jax.lax.bitcast_convert_type(values, jnp.uint32)
    not_finite = exact | jnp.where(jnp.isnan(values), jnp.uint32(1 << 22), 0)  # the upper half stays NaN, too
    upper = (jnp.where(jnp.isfinite(values), exact + noise, not_finite) >> 16).astype(PACKED)
    return upper if dtype == PACKED else jax.lax.bitcast_convert_type(upper, STORED)


def _mixed(bits: jax.Array) -> jax.Array:
    """Spreads every bit over all others: the finaliser of MurmurHash3 (Appleby, 2011)."""
    bits = (bits ^ bits >> 16) * jnp.uint32(0x85EBCA6B)
    bits = (bits ^ bits >> 13) * jnp.uint32(0xC2B2AE35)
    return bits ^ bits >> 16
