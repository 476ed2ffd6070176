"""Uniformly random peers."""

import jax
import jax.numpy as jnp

from jdgnn.network.topology import Topology
from jdgnn.protocol.peers.peer_sampler import PeerSampler


def uniform() -> PeerSampler:
    """Each message goes to a uniformly random other node, independently of all others.

    Some nodes get several messages in a tick, some none. With one node there is nobody.

    Example:
      >>> import jax, jdgnn
      >>> ring = jdgnn.network.topology(jdgnn.network.generators.ring(5))
      >>> uniform().sample(jax.random.key(0), ring, 2).shape
      (5, 2)
    """
    return PeerSampler(sample=_sample)


def _sample(key: jax.Array, topology: Topology, num_slots: int) -> jax.Array:
    num_nodes = topology.num_nodes
    node = jnp.arange(num_nodes, dtype=jnp.int32)[:, None]
    other = jax.random.randint(key, (num_nodes, num_slots), 0, max(num_nodes - 1, 1), dtype=jnp.int32)
    return jnp.where(
        other >= node, other + 1, other
    )  # skips the node itself; a single node is sent past the end, to nobody
