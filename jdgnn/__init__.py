"""jdgnn: a vectorised JAX emulator of decentralised graph neural networks.

N devices, each one vertex of a network and each with its own GNN, learn node embeddings together: no server, no
labels. Each layer trains on a self-supervised loss of its own, negatives are pushed by random nodes, and parameters
spread by gossip.
"""

from typing import TYPE_CHECKING, Any

from jdgnn import evaluation, network, plot
from jdgnn.compilation.check import GpuCheck, gpu_check
from jdgnn.deprecated import old_names
from jdgnn.emulation.checkpoint import digest, read_notes, restore, save
from jdgnn.emulation.history import History
from jdgnn.emulation.node_table import node_table
from jdgnn.emulation.progress_bar import progress_bar
from jdgnn.emulation.run import Progress, copy, refresh, run
from jdgnn.emulation.spread import consensus_distance
from jdgnn.emulation.state import State
from jdgnn.emulator import Emulator
from jdgnn.errors import InputError, NonFiniteError
from jdgnn.learning import layers, objectives, optimizers
from jdgnn.learning.layers import Layer, chebyshev, dense, from_linen, from_nnx, gat, gcn, gin, sage
from jdgnn.learning.objectives import (
    Objective,
    barlow_twins,
    cca,
    edge_reconstruction,
    info_nce,
    margin_ranking,
    masked_input,
    masked_views,
    next_input,
    vicreg,
)
from jdgnn.learning.optimizers import Optimizer, adam, from_optax, momentum, sgd
from jdgnn.network import Network, datasets, generators
from jdgnn.network.files import read_embeddings, write_embeddings
from jdgnn.notebook import show_in_notebooks
from jdgnn.protocol import (
    acceptance,
    attacks,
    clocks,
    content,
    link_presence,
    links,
    merging,
    peers,
    presence,
    schedules,
)
from jdgnn.protocol.acceptance import Acceptance
from jdgnn.protocol.attacks import Attack
from jdgnn.protocol.availability import Availability, availability
from jdgnn.protocol.clocks import Clock
from jdgnn.protocol.content import Content
from jdgnn.protocol.link_presence import LinkPresence
from jdgnn.protocol.links import DelayModel, DropModel, Link, link
from jdgnn.protocol.merging import MergeRule
from jdgnn.protocol.peers import PeerSampler
from jdgnn.protocol.presence import Presence
from jdgnn.protocol.roles import Attackers, attackers
from jdgnn.protocol.schedules import Schedule
from jdgnn.protocol.traffic import Gossip, Publish, Push, gossip, publish, push
from jdgnn.recipe import Recipe, recipe
from jdgnn.reference import debug_run
from jdgnn.version import __version__ as __version__

if TYPE_CHECKING:
    from jdgnn.experiment.results.load import Run, load_run

__all__ = [
    "Acceptance",
    "Attack",
    "Attackers",
    "Availability",
    "Clock",
    "Content",
    "DelayModel",
    "DropModel",
    "Emulator",
    "Gossip",
    "GpuCheck",
    "History",
    "InputError",
    "Layer",
    "Link",
    "LinkPresence",
    "MergeRule",
    "Network",
    "NonFiniteError",
    "Objective",
    "Optimizer",
    "PeerSampler",
    "Presence",
    "Progress",
    "Publish",
    "Push",
    "Recipe",
    "Run",
    "Schedule",
    "State",
    "acceptance",
    "adam",
    "attackers",
    "attacks",
    "availability",
    "barlow_twins",
    "cca",
    "chebyshev",
    "clocks",
    "consensus_distance",
    "content",
    "copy",
    "datasets",
    "debug_run",
    "dense",
    "digest",
    "edge_reconstruction",
    "evaluation",
    "from_linen",
    "from_nnx",
    "from_optax",
    "gat",
    "gcn",
    "generators",
    "gin",
    "gossip",
    "gpu_check",
    "info_nce",
    "layers",
    "link",
    "link_presence",
    "links",
    "load_run",
    "margin_ranking",
    "masked_input",
    "masked_views",
    "merging",
    "momentum",
    "network",
    "next_input",
    "node_table",
    "objectives",
    "optimizers",
    "peers",
    "plot",
    "presence",
    "progress_bar",
    "publish",
    "push",
    "read_embeddings",
    "read_notes",
    "recipe",
    "refresh",
    "restore",
    "run",
    "sage",
    "save",
    "schedules",
    "sgd",
    "vicreg",
    "write_embeddings",
]


show_in_notebooks()

_renamed = old_names(__name__, {"LossModel": "DropModel"})


def __getattr__(name: str) -> Any:
    """What reads runs stands on the command line's part of jdgnn, which is imported only when it is needed."""
    if name in ("Run", "load_run"):
        from jdgnn.experiment.results import load

        return getattr(load, name)
    return _renamed(name)
