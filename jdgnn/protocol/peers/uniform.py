"""Uniformly random peers."""

import jax
import jax.numpy as jnp

from jdgnn.network.topology import Topology
from jdgnn.protocol.draws import below
from jdgnn.protocol.peers.peer_sampler import PeerSampler


def uniform() -> PeerSampler:
    """Each message goes to a uniformly random other node that has joined, independently of all others.

    Some nodes get several messages in a tick, some none. If no other node has joined, nothing is sent.

    Example:
      >>> import jax, jdgnn
      >>> ring = jdgnn.network.topology(jdgnn.network.generators.ring(5))
      >>> uniform().sample(jax.random.key(0), ring, jax.numpy.ones(5, bool), 2).shape
      (5, 2)
    """
    return PeerSampler(sample=_sample)


def _sample(key: jax.Array, topology: Topology, joined_mask: jax.Array, num_slots: int) -> jax.Array:
    num_nodes = topology.num_nodes
    (joined,) = jnp.nonzero(joined_mask, size=num_nodes, fill_value=num_nodes)
    place = jnp.cumsum(joined_mask, dtype=jnp.int32) - 1  # of each joined node among them
    num_others = (place[-1] + 1 - joined_mask.astype(jnp.int32))[:, None]
    other = below(key, (num_nodes, num_slots), jnp.maximum(num_others, 1))
    is_past_itself = joined_mask[:, None] & (other >= place[:, None])
    return jnp.where(num_others > 0, joined[jnp.where(is_past_itself, other + 1, other)], num_nodes).astype(jnp.int32)
