"""What the engine needs of a network, as accelerator arrays."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jdgnn.network.network import Network


@struct.dataclass(kw_only=True)
class Topology:
    """The links among N nodes; edge e runs from `senders[e]` to `receivers[e]`, sorted by receiver.

    The in-edges of node v are those numbered `in_offset[v]` to `in_offset[v] + in_degree[v] - 1`.
    """

    senders: jax.Array  # [E] int32
    receivers: jax.Array  # [E] int32, ascending
    in_degree: jax.Array  # [N] int32
    in_offset: jax.Array  # [N] int32

    @property
    def num_nodes(self) -> int:
        """Number of nodes, N."""
        return self.in_degree.shape[0]

    @property
    def num_edges(self) -> int:
        """Number of directed edges, E."""
        return self.senders.shape[0]


def topology(network: Network) -> Topology:
    """Puts a network's links on the accelerator; features, labels and splits stay behind."""
    in_degree = network.in_degree
    return Topology(
        senders=jnp.asarray(network.senders),
        receivers=jnp.asarray(network.receivers),
        in_degree=jnp.asarray(in_degree),
        in_offset=jnp.asarray(np.cumsum(in_degree) - in_degree, dtype=jnp.int32),
    )
