"""Peer samplers, one file each; a new one needs its file and its line in `PEERS`."""

from collections.abc import Callable

from jdgnn.protocol.peers.all_to_all import all_to_all
from jdgnn.protocol.peers.graph_neighbours import graph_neighbours
from jdgnn.protocol.peers.matching import matching
from jdgnn.protocol.peers.peer_sampler import PeerSampler, in_pairs
from jdgnn.protocol.peers.permutation import permutation
from jdgnn.protocol.peers.rotation import rotation
from jdgnn.protocol.peers.uniform import uniform

PEERS: dict[str, Callable[..., PeerSampler]] = {
    "all_to_all": all_to_all,
    "graph_neighbours": graph_neighbours,
    "matching": matching,
    "permutation": permutation,
    "rotation": rotation,
    "uniform": uniform,
}

__all__ = [
    "PEERS",
    "PeerSampler",
    "all_to_all",
    "graph_neighbours",
    "in_pairs",
    "matching",
    "permutation",
    "rotation",
    "uniform",
]
