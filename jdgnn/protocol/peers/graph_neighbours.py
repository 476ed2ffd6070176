"""Random neighbours in the network."""

import jax
import jax.numpy as jnp

from jdgnn.network.topology import Topology
from jdgnn.protocol.draws import below
from jdgnn.protocol.peers.peer_sampler import PeerSampler


def graph_neighbours() -> PeerSampler:
    """Each message goes to a uniformly random out-neighbour, joined or not, independently of all others.

    If links can be down, it goes to one of those to whom the link is up in this tick. Nodes without such an
    out-neighbour send nothing. Models stay within their component of the network.

    Example:
      >>> import jax, jdgnn
      >>> network = jdgnn.network.from_edges([0, 1], [1, 2], jax.numpy.eye(3))
      >>> links = jdgnn.network.topology(network)
      >>> graph_neighbours().sample(jax.random.key(0), links, jax.numpy.ones(3, bool), 2).tolist()
      [[1, 1], [2, 2], [3, 3]]
    """
    return PeerSampler(sample=_sample)


def _sample(
    key: jax.Array, topology: Topology, joined_mask: jax.Array, num_slots: int, *, link_up: jax.Array | None = None
) -> jax.Array:
    del joined_mask  # a node does not know which of its neighbours are there
    by_sender, offset, degree = _open_links(topology, link_up)
    shape = (topology.num_nodes, num_slots)
    choice = below(key, shape, jnp.maximum(degree[:, None], 1))
    place = jnp.where(degree[:, None] > 0, offset[:, None] + choice, topology.num_edges)
    edge = jnp.append(by_sender, topology.num_edges)[place]
    return jnp.append(topology.receivers, topology.num_nodes)[edge]


def _open_links(topology: Topology, link_up: jax.Array | None) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Edges that are up, sorted by sender [E]; where those of each node begin [N]; and their number [N]."""
    if link_up is None:
        return topology.by_sender, topology.out_offset, topology.out_degree
    is_open = link_up[topology.by_sender]
    before = jnp.pad(jnp.cumsum(is_open, dtype=jnp.int32), (1, 0))  # number of open edges before each place
    first, end = topology.out_offset, topology.out_offset + topology.out_degree
    (place,) = jnp.nonzero(is_open, size=topology.num_edges, fill_value=0)
    return topology.by_sender[place], before[first], before[end] - before[first]
