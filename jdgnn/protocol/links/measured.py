"""Drops by the measured quality of each link."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.errors import InputError
from jdgnn.protocol.arguments import checked_prob
from jdgnn.protocol.links.models import DropModel, Messages


def measured(default: ArrayLike) -> DropModel:
    """Each message is dropped with probability 1 − q, the link quality of the edge from its sender to its receiver.

    Args:
      default: the probability if there is no such edge, as between most random peers; from 0 to 1.

    Returns:
      The drop model, for `jdgnn.link`; it raises InputError in a network without link quality.

    Raises:
      InputError: `default` is not a probability.

    Example:
      >>> drop = measured(default=0.1)
    """
    return DropModel(sample=Partial(_sample, default=checked_prob("default", default)))


def _sample(key: jax.Array, messages: Messages, *, default: ArrayLike) -> jax.Array:
    topology = messages.topology
    if topology.link_quality is None:
        raise InputError(
            "measured needs a network with link quality, and this network has none; "
            "give from_edges its link_quality, or write a drop probability"
        )
    edge = topology.edges_between(messages.src, messages.dst) if messages.edge is None else messages.edge
    probs = jnp.append(1.0 - topology.link_quality, jnp.float32(default))
    return jax.random.bernoulli(key, probs[edge])
