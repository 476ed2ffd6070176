"""The parts of an emulator as frozen data, which everything in this package reads."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax
import optax
from jax.typing import DTypeLike

from jdgnn.learning.layers import Layer
from jdgnn.learning.objectives import Objective
from jdgnn.learning.optimizers import Optimizer
from jdgnn.protocol.availability import Availability
from jdgnn.protocol.events import Traffic
from jdgnn.protocol.roles import Attackers
from jdgnn.protocol.traffic import Gossip, Publish, Push


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spec:
    """The parts of an emulator, with the attributes of `jdgnn.Emulator`, which checks them."""

    layers: Sequence[Layer]
    objective: Objective | Sequence[Objective]
    optimizer: Optimizer | optax.GradientTransformation
    push: Push | None
    gossip: Gossip | None
    publish: Publish | None = None
    availability: Availability | None = None
    attackers: Attackers | None = None
    num_positives: int = 8
    initial: str = "shared"
    active_fraction: float | None = None
    param_dtype: DTypeLike | None = None
    backend: str | None = None
    cores: int | None = None

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objective of each layer."""
        assert not isinstance(self.objective, Objective)
        return tuple(self.objective)

    @property
    def traffic(self) -> Traffic:
        """The parts that decide which nodes take part and what is sent."""
        assert self.availability is not None
        assert self.publish is not None
        return Traffic(self.availability, self.publish, self.push, self.gossip, self.attackers)

    @property
    def order(self) -> str:
        """The order of merging and training at a wake; `merge_then_train` without gossip."""
        return "merge_then_train" if self.gossip is None else self.gossip.order


def awake_capacity(spec: Spec, num_nodes: int) -> int | None:
    """How many awake nodes there is compact room for; None where all nodes are computed."""
    if spec.active_fraction is None:
        return None
    return min(num_nodes, max(1, round(spec.active_fraction * num_nodes)))


PARTS = ("layers", "objective", "optimizer", "push", "gossip", "publish", "availability", "attackers")
STRUCTURE = ("num_positives", "initial", "active_fraction", "param_dtype", "backend", "cores")


def flattened(spec: Spec) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The parts, which are traced, and the rest, which is structure."""
    return tuple(getattr(spec, name) for name in PARTS), tuple(getattr(spec, name) for name in STRUCTURE)


def unflattened(cls: type[Any], structure: tuple[Any, ...], parts: tuple[Any, ...]) -> Any:
    """Undoes `flattened`, without checks: parts may be tracers or placeholders."""
    spec = object.__new__(cls)
    for name, value in zip((*PARTS, *STRUCTURE), (*parts, *structure), strict=True):
        object.__setattr__(spec, name, value)
    return spec


def register(cls: type[Spec]) -> None:
    """Lets compiled functions take specs of this class: parts are traced, the rest is structure."""
    jax.tree_util.register_pytree_node(cls, flattened, functools.partial(unflattened, cls))


register(Spec)
