"""Random neighbours in the network."""

import jax
import jax.numpy as jnp

from jdgnn.network.topology import Topology
from jdgnn.protocol.draws import below
from jdgnn.protocol.peers.peer_sampler import PeerSampler


def graph_neighbours() -> PeerSampler:
    """Each message goes to a uniformly random out-neighbour, joined or not, independently of all others.

    Nodes without out-neighbours send to nobody. Models then stay within their component of the network.

    Example:
      >>> import jax, jdgnn
      >>> network = jdgnn.network.from_edges([0, 1], [1, 2], jax.numpy.eye(3))
      >>> links = jdgnn.network.topology(network)
      >>> graph_neighbours().sample(jax.random.key(0), links, jax.numpy.ones(3, bool), 2).tolist()
      [[1, 1], [2, 2], [3, 3]]
    """
    return PeerSampler(sample=_sample)


def _sample(key: jax.Array, topology: Topology, joined_mask: jax.Array, num_slots: int) -> jax.Array:
    del joined_mask  # a node does not know which of its neighbours are there
    degree = topology.out_degree[:, None]
    shape = (topology.num_nodes, num_slots)
    choice = below(key, shape, jnp.maximum(degree, 1))
    place = jnp.where(degree > 0, topology.out_offset[:, None] + choice, topology.num_edges)
    edge = jnp.append(topology.by_sender, topology.num_edges)[place]
    return jnp.append(topology.receivers, topology.num_nodes)[edge]
