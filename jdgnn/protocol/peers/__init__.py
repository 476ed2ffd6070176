"""Peer samplers, one file each; a new one needs its file and its line in `PEERS`."""

from collections.abc import Callable

from jdgnn.protocol.peers.matching import matching
from jdgnn.protocol.peers.peer_sampler import PeerSampler
from jdgnn.protocol.peers.uniform import uniform

PEERS: dict[str, Callable[..., PeerSampler]] = {
    "matching": matching,
    "uniform": uniform,
}

__all__ = ["PEERS", "PeerSampler", "matching", "uniform"]
