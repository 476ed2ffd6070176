"""One layer of all nodes, forward.

Axes: N nodes, E directed edges, F features that enter a layer, F' that leave it, n some nodes.
"""

from typing import Any

import chex
import jax
import jax.numpy as jnp

from jdgnn.backend.per_node import per_node
from jdgnn.backend.rows import put, take
from jdgnn.learning.layers import Layer
from jdgnn.network.topology import Topology


def aggregate(
    layer: Layer,
    params: Any,
    topology: Topology,
    own: jax.Array,
    received: jax.Array,
    received_mask: jax.Array,
    nodes: jax.Array | None = None,
) -> jax.Array:
    """Aggregates the vectors that some nodes received from in-neighbours, into [n, F].

    Args:
      layer: the layer.
      params: its parameters at these nodes [n, ...].
      topology: the links.
      own: each node's own vector [N, F].
      received: the newest vector over each edge [E, F].
      received_mask: whether there is one [E].
      nodes: the nodes [n], N for none; None for all.
    """
    dims = chex.Dimensions(N=topology.num_nodes, E=topology.num_edges, F=own.shape[-1])
    chex.assert_shape(own, dims["NF"])
    chex.assert_shape(received, dims["EF"])
    chex.assert_shape(received_mask, dims["E"])
    query = None
    if layer.query is not None:
        rows = per_node(layer.query)(params, take(own, nodes))
        all_rows = jax.tree.map(lambda leaf: jnp.zeros((topology.num_nodes, *leaf.shape[1:]), leaf.dtype), rows)
        query = put(all_rows, nodes, rows)
    return take(layer.aggregate(own, received, received_mask, topology, query), nodes)


def layer_output(
    layer: Layer, params: Any, topology: Topology, own: jax.Array, received: jax.Array, received_mask: jax.Array
) -> jax.Array:
    """The layer's output at every node [N, F'], with the arguments of `aggregate`."""
    aggregated = aggregate(layer, params, topology, own, received, received_mask)
    return per_node(layer.apply)(params, own, aggregated)
