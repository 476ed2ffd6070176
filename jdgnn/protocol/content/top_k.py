"""The content that carries the largest numbers of a model.

Axes: k carried numbers of one array of the model.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jdgnn.checks import check_flag, check_number
from jdgnn.protocol.content.content import Content


class Carried(NamedTuple):
    """The carried numbers of one array, read row by row."""

    values: jax.Array  # [k]
    place: jax.Array  # [k] integers; [0] if all numbers are carried, in their order


def top_k(share: float, error_feedback: bool = False) -> Content:
    """A message carries the share of the numbers of each array of the model that are largest by magnitude.

    Of an array of d numbers exactly k = max(1, round(share · d)) are carried, ties by the lower index, each with its
    index of two bytes, or four where d is above 2¹⁵; none where k = d. The receiver merges these numbers, and keeps
    its own for the others. Small parameters therefore never travel, and nodes agree on large ones only. Every array is
    sorted in every wake that sends, which on a CPU takes several times as long as the rest of the tick.

    With `error_feedback` a node remembers the sum of all it has not sent, adds this sum to the model it encodes next,
    and sends the largest results. This is made for differences and gradients, which the receiver adds up. In a *model*,
    a number that was left out n times is sent as about n + 1 times its value, and a merge rule takes that for the
    value. Use it to study this effect, or with models that are differences; we know of no paper that uses it for models
    sent to random peers.

    Source: Stich, Cordonnier & Jaggi, "Sparsified SGD with Memory", NeurIPS 2018; messages of some coordinates of a
    model in gossip, Hegedus, Danner & Jelasity, "Decentralized learning works", J. Parallel Distrib. Comput. 148, 2021.

    Args:
      share: share of the numbers of each array, above 0 and at most 1; it decides shapes, so another value is compiled
        again.
      error_feedback: whether numbers that were not sent are added to the model encoded next.

    Returns:
      The content, for `jdgnn.gossip(content=...)`.

    Raises:
      InputError: an argument is invalid.

    Example:
      >>> params = {"kernel": jnp.array([[1.0, -5.0], [0.5, 3.0]])}
      >>> content = top_k(0.5)
      >>> _, message = content.encode(content.init(params), params, None, 0)
      >>> sent, is_carried = content.decode(message, {"kernel": jnp.zeros((2, 2))})
      >>> sent["kernel"].tolist(), is_carried["kernel"].tolist()
      ([[0.0, -5.0], [0.0, 3.0]], [[False, True], [False, True]])
    """
    check_flag("error_feedback", error_feedback)
    return _made(float(check_number("share", share, above=0, maximum=1)), bool(error_feedback))


@functools.cache
def _made(share: float, error_feedback: bool) -> Content:
    def encode_plainly(memory: Any, params: Any, key: jax.Array, wakes: jax.Array) -> tuple[Any, Any]:
        del key, wakes
        return memory, jax.tree.map(functools.partial(_largest, share), params)

    def encode_sums(memory: Any, params: Any, key: jax.Array, wakes: jax.Array) -> tuple[Any, Any]:
        _, message = encode_plainly((), total := jax.tree.map(jnp.add, memory, params), key, wakes)
        return jax.tree.map(_left, total, message), message

    if error_feedback:
        return Content(init=_zeros, encode=encode_sums, decode=_decode)
    return Content(init=_nothing, encode=encode_plainly, decode=_decode)


def _nothing(params: Any) -> tuple[()]:
    del params
    return ()


def _zeros(params: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), params)


def _largest(share: float, numbers: jax.Array) -> Carried:
    flat, size = numbers.ravel(), numbers.size
    count = min(size, max(1, round(share * size)))
    if count == size:
        return Carried(flat, jnp.zeros(0, jnp.int16))
    _, index = jax.lax.top_k(jnp.abs(flat), count)  # breaks ties by the lower index
    return Carried(flat[index], index.astype(jnp.int16 if size <= 2**15 else jnp.int32))


def _put(numbers: jax.Array, carried: Carried, values: Any) -> jax.Array:
    """The numbers, with other values at the carried places."""
    if carried.values.size == numbers.size:
        return jnp.broadcast_to(values, numbers.size).reshape(numbers.shape).astype(numbers.dtype)
    return numbers.ravel().at[carried.place].set(values, unique_indices=True).reshape(numbers.shape)


def _left(numbers: jax.Array, carried: Carried) -> jax.Array:
    return _put(numbers, carried, 0)


def _decode(message: Any, own_params: Any) -> tuple[Any, Any]:
    params = jax.tree.map(lambda own, carried: _put(own, carried, carried.values), own_params, message)
    is_carried = jax.tree.map(lambda own, carried: _put(jnp.zeros(own.shape, bool), carried, True), own_params, message)
    return params, is_carried
