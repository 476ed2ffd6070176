"""Delays without memory."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_count, check_number
from jdgnn.protocol.links.models import DelayModel, Messages


def geometric(mean: ArrayLike, maximum: int) -> DelayModel:
    """Each message arrives in each tick with the same probability q = 1 / (mean + 1), until it has.

    So a delay of d has probability (1 − q)^d q, before those longer than `maximum` are cut to it.

    Args:
      mean: mean delay in ticks, before the cut.
      maximum: the longest delay.

    Returns:
      The delay model, for `jdgnn.link`.

    Raises:
      InputError: a number makes no sense.

    Example:
      >>> geometric(2.0, maximum=10).maximum
      10
    """
    mean = check_number("mean", mean, minimum=0)
    check_count("maximum", maximum, minimum=0)
    return DelayModel(sample=Partial(_sample, mean=mean, longest=maximum), maximum=maximum)


def _sample(key: jax.Array, messages: Messages, *, mean: ArrayLike, longest: int) -> jax.Array:
    log_failure = -jnp.log1p(1.0 / jnp.float32(mean))  # log(1 − q); minus infinity where the mean is 0
    uniform = jax.random.uniform(key, messages.dst.shape, jnp.float32)
    delay = jnp.log1p(-uniform) / log_failure  # by inversion
    return jnp.minimum(delay, jnp.float32(longest)).astype(jnp.int32)
