"""Independent drops."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.protocol.arguments import checked_prob
from jdgnn.protocol.links.models import DropModel, Messages


def bernoulli(prob: ArrayLike) -> DropModel:
    """Each message is dropped with the same probability, independently of all others.

    Args:
      prob: that probability, from 0 to 1.

    Returns:
      The drop model, for `jdgnn.link`.

    Raises:
      InputError: `prob` is not a probability.

    Example:
      >>> drop = bernoulli(0.3)
    """
    return DropModel(sample=Partial(_sample, prob=checked_prob("prob", prob)))


def _sample(key: jax.Array, messages: Messages, *, prob: ArrayLike) -> jax.Array:
    return jax.random.bernoulli(key, jnp.float32(prob), messages.dst.shape)
