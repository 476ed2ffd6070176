"""Delays that grow with the size of a message."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jdgnn.checks import check_count
from jdgnn.protocol.arguments import checked_whole
from jdgnn.protocol.links.models import DelayModel, Messages


def by_size(bytes_per_tick: int | jax.Array, maximum: int) -> DelayModel:
    """A message is bytes / bytes_per_tick ticks late, rounded up and at most `maximum`.

    Args:
      bytes_per_tick: bytes that a link carries in one tick.
      maximum: the longest delay.

    Returns:
      The delay model, for `jdgnn.link`.

    Raises:
      InputError: a number is invalid.

    Example:
      >>> by_size(1_000_000, maximum=10).maximum
      10
    """
    bytes_per_tick = checked_whole("bytes_per_tick", bytes_per_tick, minimum=1)
    check_count("maximum", maximum, minimum=0)
    return DelayModel(sample=Partial(_sample, bytes_per_tick=bytes_per_tick, longest=maximum), maximum=maximum)


def _sample(key: jax.Array, messages: Messages, *, bytes_per_tick: int | jax.Array, longest: int) -> jax.Array:
    del key
    ticks = -(-jnp.int32(messages.num_bytes) // bytes_per_tick)
    return jnp.full(messages.dst.shape, jnp.minimum(ticks, longest))
