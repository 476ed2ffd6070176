"""The rules that all nodes follow, read from the emulator's settings."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jdgnn.emulation.spec import Spec
from jdgnn.network.topology import Topology
from jdgnn.protocol.content import Content
from jdgnn.protocol.schedules import Schedule
from jdgnn.reference.message import Message
from jdgnn.reference.one_layer import Arithmetic


class Check(Protocol):
    """Checks every number that a node receives or computes."""

    def __call__(
        self, node: Any, stage: str, layers: Mapping[int, Any], inputs: Any = (), message: Message | None = None
    ) -> None:
        """Takes the node, the stage, its numbers by layer, their inputs, and the message that carried them."""


def unchecked(
    node: Any, stage: str, layers: Mapping[int, Any], inputs: Any = (), message: Message | None = None
) -> None:
    """Accepts every number."""


@dataclass(frozen=True)
class Rules:
    """Settings in the words of the protocol. A capacity of 0 means that nothing of the kind is ever sent."""

    spec: Spec
    links: Topology
    arithmetic: Arithmetic
    check: Check

    @property
    def order(self) -> str:
        """The order of merging and training."""
        return "merge_then_train" if self.spec.gossip is None else self.spec.gossip.order

    @property
    def sample_capacity(self) -> int:
        """Places for samples at a node."""
        return 0 if self.spec.push is None else self.spec.push.capacity

    @property
    def inbox_capacity(self) -> int:
        """Places for models that wait at a node."""
        return 0 if self.spec.gossip is None else self.spec.gossip.capacity

    @property
    def num_places(self) -> int | None:
        """Places for the models of all nodes between sending and merging; None = unlimited."""
        if self.spec.gossip is None or self.spec.gossip.pool is None:
            return None
        return max(1, math.ceil(self.spec.gossip.pool * self.links.num_nodes - 1e-9))

    @property
    def content(self) -> Content | None:
        """The content of model messages; None = the whole model."""
        return None if self.spec.gossip is None else self.spec.gossip.content

    def _setting(self, kind: str) -> Any:
        return {"embedding": self.spec.publish, "push": self.spec.push, "model": self.spec.gossip}[kind]

    def schedule(self, kind: str) -> Schedule | None:
        """The schedule of messages of a kind; None = at every wake, or nothing of the kind."""
        return None if self._setting(kind) is None else self._setting(kind).schedule

    def max_delay(self, kind: str) -> int:
        """The longest delay of messages of a kind."""
        return 0 if self._setting(kind) is None else self._setting(kind).link.max_delay
