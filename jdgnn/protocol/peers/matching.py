"""Random pairs."""

import jax
import jax.numpy as jnp

from jdgnn.network.topology import Topology
from jdgnn.protocol.peers.peer_sampler import PeerSampler, in_pairs


def matching() -> PeerSampler:
    """Nodes are paired at random and the two of a pair send to each other; with an odd number one sits out.

    Every node gets at most one message per slot. Merged by `average`, both nodes of a pair end with the same model, and
    the mean over all nodes is preserved.

    Example:
      >>> import jax, jdgnn
      >>> ring = jdgnn.network.topology(jdgnn.network.generators.ring(4))
      >>> partner = matching().sample(jax.random.key(0), ring, jax.numpy.ones(4, bool), 1)[:, 0]
      >>> [int(v) for v in partner[partner]]
      [0, 1, 2, 3]
    """
    return in_pairs(_sample)


def _sample(key: jax.Array, topology: Topology, joined_mask: jax.Array, num_slots: int) -> jax.Array:
    del joined_mask  # a matching runs over all nodes
    return jax.lax.map(lambda slot_key: _match(slot_key, topology.num_nodes), jax.random.split(key, num_slots)).T


def _match(key: jax.Array, num_nodes: int) -> jax.Array:
    order = jax.random.permutation(key, jnp.arange(num_nodes, dtype=jnp.int32))
    left, right = order[0 : num_nodes - 1 : 2], order[1::2]
    no_recipient = jnp.full(num_nodes, num_nodes, jnp.int32)
    return no_recipient.at[left].set(right, unique_indices=True).at[right].set(left, unique_indices=True)
