"""Acceptance by the degrees of sender and receiver."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jdgnn.protocol.acceptance.acceptance import Acceptance


def degree() -> Acceptance:
    """A model of node i is merged by node j with probability min(1, dᵢ / dⱼ), with in-degrees d; 1 where dⱼ = 0.

    Hubs receive more models when models follow the links; with this rule they do not merge more.

    Source: Giaretta & Girdzijauskas, "Gossip Learning: Off the Beaten Path", IEEE Big Data 2019.

    Example:
      >>> [float(degree().probability(sender, receiver)) for sender, receiver in ((2, 8), (8, 2), (2, 0))]
      [0.25, 1.0, 1.0]
    """
    return Acceptance(probability=_probability)


def _probability(sender_degree: ArrayLike, receiver_degree: ArrayLike) -> jax.Array:
    sender, receiver = jnp.float32(sender_degree), jnp.float32(receiver_degree)
    return jnp.where(receiver > 0, jnp.minimum(sender / jnp.maximum(receiver, 1.0), 1.0), 1.0)
