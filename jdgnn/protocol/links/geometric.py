"""Geometrically distributed delays."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_count, check_number
from jdgnn.protocol.links.models import DelayModel, Messages


def geometric(mean: ArrayLike, maximum: int) -> DelayModel:
    """A message on its way arrives in each tick with probability q = 1 / (mean + 1).

    A delay of d has probability (1 − q)^d q; delays longer than `maximum` are cut to it.

    Args:
      mean: mean delay in ticks, before the cut.
      maximum: the longest delay.

    Returns:
      The delay model, for `jdgnn.link`.

    Raises:
      InputError: a number is invalid.

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
