"""One layer of all nodes, forward.

Axes: N nodes, E directed edges, F features that enter a layer, F' that leave it.
"""

from typing import Any

import jax

from jdgnn.emulation.per_node import per_node
from jdgnn.learning.layers import Layer
from jdgnn.network.topology import Topology


def aggregate(
    layer: Layer, params: Any, topology: Topology, own: jax.Array, received: jax.Array, received_mask: jax.Array
) -> jax.Array:
    """What each node makes of what its in-neighbours sent [N, F].

    Args:
      layer: the layer.
      params: its parameters at every node [N, ...].
      topology: the links.
      own: each node's own vector [N, F].
      received: the newest vector over each edge [E, F].
      received_mask: whether there is one [E].

    Returns:
      One vector per node.
    """
    query = None if layer.query is None else per_node(layer.query)(params, own)
    return layer.aggregate(own, received, received_mask, topology, query)


def layer_output(
    layer: Layer, params: Any, topology: Topology, own: jax.Array, received: jax.Array, received_mask: jax.Array
) -> jax.Array:
    """The layer's output at every node [N, F'], with the arguments of `aggregate`."""
    aggregated = aggregate(layer, params, topology, own, received, received_mask)
    return per_node(layer.apply)(params, own, aggregated)
