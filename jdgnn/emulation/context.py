"""The context of one tick, which every stage takes with the state.

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
    """One tick: the parts, the links, the features and all random events."""

    spec: Spec
    topology: Topology
    features: jax.Array  # [N, F0]
    events: Events
    active: jax.Array | None = None  # [N] bool, nodes that merge, train and send; set after receiving; None = all

    @property
    def backend(self) -> Backend:
        """The backend of array operations."""
        return self.topology.backend

    @property
    def transport(self) -> Transport | None:
        """The transport of models; None where none are sent."""
        return transport_of(self.spec.traffic)
