"""The same delay for all messages."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jdgnn.checks import check_count
from jdgnn.protocol.links.models import DelayModel, Messages


def constant(ticks: int) -> DelayModel:
    """Every message is late by the same number of ticks.

    Args:
      ticks: the delay.

    Returns:
      The delay model, for `jdgnn.link`.

    Raises:
      InputError: `ticks` is not a whole number of at least 0.

    Example:
      >>> constant(3).maximum
      3
    """
    check_count("ticks", ticks, minimum=0)
    return DelayModel(sample=Partial(_sample, ticks=ticks), maximum=ticks)


def _sample(key: jax.Array, messages: Messages, *, ticks: int) -> jax.Array:
    del key
    return jnp.full(messages.dst.shape, ticks, jnp.int32)
