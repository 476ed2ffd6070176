"""jdgnn: a vectorised JAX emulator of decentralised graph neural networks.

N devices, each one vertex of a network and each with its own GNN, learn node embeddings together: no server, no
labels. Each layer trains on a self-supervised loss of its own, negatives are pushed by random nodes, and parameters
spread by gossip.
"""

from jdgnn import evaluation, network
from jdgnn.emulation.emulator import Emulator
from jdgnn.emulation.history import History
from jdgnn.emulation.metrics import consensus_distance
from jdgnn.emulation.run import Progress, copy, refresh, run
from jdgnn.emulation.state import State
from jdgnn.errors import InputError
from jdgnn.learning import layers, objectives, optimizers
from jdgnn.learning.layers import Layer, from_linen, from_nnx, gcn, sage
from jdgnn.learning.objectives import Objective, edge_reconstruction, info_nce
from jdgnn.learning.optimizers import Optimizer, adam, from_optax, momentum, sgd
from jdgnn.network import Network, datasets, generators
from jdgnn.protocol import merging, peers
from jdgnn.protocol.merging import MergeRule
from jdgnn.protocol.peers import PeerSampler
from jdgnn.protocol.traffic import Gossip, Push, gossip, push

__version__ = "0.1.0"

__all__ = [
    "Emulator",
    "Gossip",
    "History",
    "InputError",
    "Layer",
    "MergeRule",
    "Network",
    "Objective",
    "Optimizer",
    "PeerSampler",
    "Progress",
    "Push",
    "State",
    "adam",
    "consensus_distance",
    "copy",
    "datasets",
    "edge_reconstruction",
    "evaluation",
    "from_linen",
    "from_nnx",
    "from_optax",
    "gcn",
    "generators",
    "gossip",
    "info_nce",
    "layers",
    "merging",
    "momentum",
    "network",
    "objectives",
    "optimizers",
    "peers",
    "push",
    "refresh",
    "run",
    "sage",
    "sgd",
]
