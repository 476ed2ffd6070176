"""What surrounds all nodes in one tick: the one thing that every stage is given beside the state.

Axes: N nodes, F0 features that a node measures.
"""

from typing import NamedTuple

import jax

from jdgnn.backend.backend import Backend
from jdgnn.emulation.spec import Spec
from jdgnn.network.topology import Topology
from jdgnn.protocol.events import Events
from jdgnn.protocol.transport import Transport, transport_of


class Tick(NamedTuple):
    """One tick: what nodes are made of, where they stand, and everything random that happens to them."""

    spec: Spec
    topology: Topology
    features: jax.Array  # [N, F0]
    events: Events
    active: jax.Array | None = None  # [N] bool, who merges, trains and sends, once that is known; None = all

    @property
    def backend(self) -> Backend:
        """By which array operations are done."""
        return self.topology.backend

    @property
    def transport(self) -> Transport | None:
        """How models are carried; None where none are sent."""
        return transport_of(self.spec.traffic)
