"""All other nodes."""

import jax
import jax.numpy as jnp

from jdgnn.errors import InputError
from jdgnn.network.topology import Topology
from jdgnn.protocol.peers.peer_sampler import PeerSampler


def all_to_all() -> PeerSampler:
    """Every node sends to all others, in the order of their numbers; this needs a fanout of N − 1.

    With an inbox for N − 1 models and the uniform mean, all nodes then hold the mean of all models. No real network can
    afford this; it is a baseline for other samplers. With another fanout `sample` raises InputError.

    Example:
      >>> import jax, jdgnn
      >>> ring = jdgnn.network.topology(jdgnn.network.generators.ring(3))
      >>> all_to_all().sample(jax.random.key(0), ring, jax.numpy.ones(3, bool), 2).tolist()
      [[1, 2], [0, 2], [0, 1]]
    """
    return PeerSampler(sample=_sample)


def _sample(key: jax.Array, topology: Topology, joined_mask: jax.Array, num_slots: int) -> jax.Array:
    del key, joined_mask  # sent to all nodes, whether they have joined or not
    num_nodes = topology.num_nodes
    if num_nodes > 1 and num_slots != num_nodes - 1:
        raise InputError(f"fanout: expected {num_nodes - 1} for all_to_all among {num_nodes} nodes, got {num_slots}")
    slot = jnp.arange(num_slots, dtype=jnp.int32)
    other = slot + (slot >= jnp.arange(num_nodes, dtype=jnp.int32)[:, None]).astype(jnp.int32)
    return jnp.minimum(other, num_nodes)
