"""Random cycles through all nodes."""

import jax
import jax.numpy as jnp

from jdgnn.network.topology import Topology
from jdgnn.protocol.peers.peer_sampler import PeerSampler


def permutation() -> PeerSampler:
    """All nodes form one random cycle, redrawn for each slot and tick, and each sends to the next on it.

    Every node sends and receives one message per slot.

    Example:
      >>> import jax, jdgnn
      >>> ring = jdgnn.network.topology(jdgnn.network.generators.ring(4))
      >>> dst = permutation().sample(jax.random.key(0), ring, jax.numpy.ones(4, bool), 1)[:, 0]
      >>> sorted(dst.tolist()), int(dst[dst[dst[dst[0]]]])
      ([0, 1, 2, 3], 0)
    """
    return PeerSampler(sample=_sample)


def _sample(key: jax.Array, topology: Topology, joined_mask: jax.Array, num_slots: int) -> jax.Array:
    del joined_mask  # a cycle runs over all nodes
    return jax.lax.map(lambda slot_key: _cycle(slot_key, topology.num_nodes), jax.random.split(key, num_slots)).T


def _cycle(key: jax.Array, num_nodes: int) -> jax.Array:
    if num_nodes == 1:
        return jnp.ones(1, jnp.int32)
    order = jax.random.permutation(key, jnp.arange(num_nodes, dtype=jnp.int32))
    return jnp.zeros(num_nodes, jnp.int32).at[order].set(jnp.roll(order, -1), unique_indices=True)
