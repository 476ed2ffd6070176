"""The same random step for all nodes."""

import jax
import jax.numpy as jnp

from jdgnn.network.topology import Topology
from jdgnn.protocol.peers.peer_sampler import PeerSampler


def rotation() -> PeerSampler:
    """Node v sends to (v + s) mod N, with one random step s from 1 to N − 1 for all nodes, in each slot and tick.

    Every node sends and receives one message per slot, as in a permutation, at the cost of one draw.

    Example:
      >>> import jax, jdgnn
      >>> ring = jdgnn.network.topology(jdgnn.network.generators.ring(4))
      >>> dst = rotation().sample(jax.random.key(0), ring, jax.numpy.ones(4, bool), 1)[:, 0]
      >>> len({(int(receiver) - sender) % 4 for sender, receiver in enumerate(dst)})
      1
    """
    return PeerSampler(sample=_sample)


def _sample(key: jax.Array, topology: Topology, joined_mask: jax.Array, num_slots: int) -> jax.Array:
    del joined_mask  # it turns all nodes
    num_nodes = topology.num_nodes
    if num_nodes == 1:
        return jnp.ones((1, num_slots), jnp.int32)
    step = jax.random.randint(key, (num_slots,), 1, num_nodes, dtype=jnp.int32)
    return (jnp.arange(num_nodes, dtype=jnp.int32)[:, None] + step) % num_nodes
