"""What the engine needs of a network, as accelerator arrays."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jdgnn.backend.accelerator import sum_tree
from jdgnn.backend.backend import PLAIN, Backend
from jdgnn.backend.backend import backend as best
from jdgnn.network.network import Network


@struct.dataclass(kw_only=True)
class Topology:
    """The links among N nodes; edge e runs from `senders[e]` to `receivers[e]`, sorted by receiver, then by sender.

    The in-edges of node v are those numbered `in_offset[v]` to `in_offset[v] + in_degree[v] - 1`; its out-edges have
    the numbers `by_sender[out_offset[v]]` to `by_sender[out_offset[v] + out_degree[v] - 1]`.
    """

    senders: jax.Array  # [E] int32
    receivers: jax.Array  # [E] int32, ascending
    in_degree: jax.Array  # [N] int32
    in_offset: jax.Array  # [N] int32
    by_sender: jax.Array  # [E] int32: edge numbers, sorted by sender, then by receiver
    out_degree: jax.Array  # [N] int32
    out_offset: jax.Array  # [N] int32
    link_quality: jax.Array | None = None  # [E] float32 in [0, 1]: share of messages that get through
    in_tree: tuple[jax.Array, ...] = ()  # how in-edges are summed by gathers; empty where the backend does not
    backend: Backend = struct.field(pytree_node=False, default=PLAIN)  # by which sums over edges are computed

    @property
    def num_nodes(self) -> int:
        """Number of nodes, N."""
        return self.in_degree.shape[0]

    @property
    def num_edges(self) -> int:
        """Number of directed edges, E."""
        return self.senders.shape[0]

    def edges_between(self, src: jax.Array, dst: jax.Array) -> jax.Array:
        """Finds the edges that run from some nodes to others, by binary search among the in-edges of the latter.

        Args:
          src: node numbers, int32 of any shape.
          dst: node numbers, int32 of the same shape; what is no node's number has no edges.

        Returns:
          The number of the edge src→dst, elementwise, int32; E where there is none.

        Example:
          >>> import jax.numpy as jnp
          >>> from jdgnn.network.generators import ring
          >>> links = topology(ring(4))
          >>> links.edges_between(jnp.array([1, 2, 3]), jnp.array([0, 0, 0])).tolist(), links.num_edges
          ([0, 8, 1], 8)
        """
        senders = jnp.append(self.senders, self.num_nodes)  # one to read where there are no edges
        is_node = (dst >= 0) & (dst < self.num_nodes)
        first = self.in_offset.at[dst].get(mode="clip")
        end = first + jnp.where(is_node, self.in_degree.at[dst].get(mode="clip"), 0)

        def halve(bounds: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            low, high = bounds
            middle = low + (high - low) // 2
            is_before = (low < high) & (senders[middle] < src)
            return jnp.where(is_before, middle + 1, low), jnp.where(is_before, high, middle)

        edge, _ = jax.lax.while_loop(lambda bounds: jnp.any(bounds[0] < bounds[1]), halve, (first, end))
        return jnp.where((edge < end) & (senders[edge] == src), edge, self.num_edges)


def topology(network: Network, backend: Backend | None = None) -> Topology:
    """Puts a network's links on the accelerator; features, labels and splits stay behind.

    Args:
      network: the network.
      backend: by which sums over its edges are computed; None for the best that this process has.
    """
    backend = best() if backend is None else backend
    in_degree = network.in_degree
    out_degree = np.bincount(network.senders, minlength=network.num_nodes)
    return Topology(
        senders=jnp.asarray(network.senders),
        receivers=jnp.asarray(network.receivers),
        in_degree=jnp.asarray(in_degree),
        in_offset=_offset(in_degree),
        by_sender=jnp.asarray(np.argsort(network.senders, kind="stable"), dtype=jnp.int32),
        out_degree=jnp.asarray(out_degree, dtype=jnp.int32),
        out_offset=_offset(out_degree),
        link_quality=None if network.link_quality is None else jnp.asarray(network.link_quality),
        in_tree=tuple(map(jnp.asarray, sum_tree(in_degree))) if backend.sums_by_gathers else (),
        backend=backend,
    )


def _offset(degree: np.ndarray) -> jax.Array:
    return jnp.asarray(np.cumsum(degree) - degree, dtype=jnp.int32)
