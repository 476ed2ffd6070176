"""Uniformly distributed delays."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jdgnn.checks import check_count
from jdgnn.errors import InputError
from jdgnn.protocol.arguments import checked_whole, is_known
from jdgnn.protocol.draws import below
from jdgnn.protocol.links.models import DelayModel, Messages


def uniform(low: int | jax.Array, high: int | jax.Array, maximum: int | None = None) -> DelayModel:
    """Each message is `low` to `high` ticks late, each equally likely, independently of all others.

    Args:
      low: the shortest delay.
      high: the longest delay.
      maximum: the longest delay that buffers are made for, to which longer ones are cut; `high` if None. The bounds are
        traced, so with a given `maximum` all of them share one program.

    Returns:
      The delay model, for `jdgnn.link`.

    Raises:
      InputError: a number is invalid.

    Example:
      >>> uniform(0, 10).maximum
      10
    """
    bounds = {"low": checked_whole("low", low), "high": checked_whole("high", high)}
    if is_known(low, high) and high < low:
        raise InputError(f"high: expected a delay of at least low = {low}, got {high}")
    if maximum is None:
        if not is_known(high):
            raise InputError("maximum: expected a whole number where high is traced, got None")
        maximum = int(high)
    check_count("maximum", maximum, minimum=0)
    return DelayModel(sample=Partial(_sample, longest=maximum, **bounds), maximum=maximum)


def _sample(
    key: jax.Array, messages: Messages, *, low: int | jax.Array, high: int | jax.Array, longest: int
) -> jax.Array:
    shape = messages.dst.shape
    delay = low + below(key, shape, high + 1 - low)
    return jnp.minimum(delay, longest)
