"""The parts of an emulator put together and checked, as frozen data: what everything in this folder reads."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp
import optax
from jax.typing import DTypeLike

from jdgnn.checks import check_count, check_number
from jdgnn.emulation.check_parts import check_effect, layer_units
from jdgnn.errors import InputError, suggestion
from jdgnn.learning.layers import Layer
from jdgnn.learning.objectives import Objective
from jdgnn.learning.optimizers import Optimizer, from_optax
from jdgnn.network.identifiers import Identifiers
from jdgnn.network.network import Network
from jdgnn.parts import as_argument, bound, with_partials
from jdgnn.protocol.availability import Availability, availability
from jdgnn.protocol.events import Traffic
from jdgnn.protocol.traffic import Gossip, Publish, Push, publish

STARTS = ("common", "independent")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spec:
    """The parts of an emulator, checked: what everything below `jdgnn.Emulator` reads, and nothing that computes.

    Attributes and errors are those of `jdgnn.Emulator`.
    """

    layers: Sequence[Layer]
    objective: Objective | Sequence[Objective]
    optimizer: Optimizer | optax.GradientTransformation
    push: Push | None
    gossip: Gossip | None
    publish: Publish | None = None
    availability: Availability | None = None
    num_positives: int = 8
    start: str = "common"
    awake_share: float | None = None
    param_dtype: DTypeLike | None = None
    kernels: bool | None = None

    def __post_init__(self) -> None:
        check_count("num_positives", self.num_positives)
        if self.start not in STARTS:
            raise InputError(f"start: got {self.start!r}; {suggestion(str(self.start), STARTS)}")
        layers = _checked_parts("layers", self.layers, Layer, "jdgnn.gcn(64)")
        objectives = _checked_parts("objective", self.objective, Objective, "jdgnn.info_nce()")
        if len(objectives) not in (1, len(layers)):
            raise InputError(f"objective: got {len(objectives)} for {len(layers)} layers; give one, or one per layer")
        optimizer = self.optimizer
        if isinstance(optimizer, optax.GradientTransformation):
            optimizer = from_optax(optimizer)
        (optimizer,) = _checked_parts("optimizer", optimizer, Optimizer, "jdgnn.adam(1e-2)")
        if self.push is not None:
            _check_kind("push", self.push, Push, "jdgnn.push(), or None")
        if self.gossip is not None:
            _check_kind("gossip", self.gossip, Gossip, "jdgnn.gossip(), or None")
        if self.publish is not None:
            _check_kind("publish", self.publish, Publish, "jdgnn.publish(), or None")
        if self.availability is not None:
            _check_kind("availability", self.availability, Availability, "jdgnn.availability(...), or None")
        if self.param_dtype is not None:
            object.__setattr__(self, "param_dtype", _checked_dtype(self.param_dtype))
        if self.kernels is not None and not isinstance(self.kernels, bool):
            raise InputError(f"kernels: got {self.kernels!r}, and True, False or None is needed")
        if self.awake_share is not None:
            check_number("awake_share", self.awake_share, above=0, maximum=1)
        if len(objectives) == 1:
            objectives *= len(layers)
        for name, value in (
            ("layers", layers),
            ("objective", objectives),
            ("optimizer", optimizer),
            ("push", with_partials(self.push)),
            ("gossip", with_partials(self.gossip)),
            ("publish", publish() if self.publish is None else with_partials(self.publish)),
            ("availability", availability() if self.availability is None else with_partials(self.availability)),
        ):
            object.__setattr__(self, name, value)
        check_effect(self.traffic, self.awake_share)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objective of each layer."""
        assert not isinstance(self.objective, Objective)
        return tuple(self.objective)

    @property
    def traffic(self) -> Traffic:
        """All that decides who takes part and what is sent."""
        assert self.availability is not None
        assert self.publish is not None
        return Traffic(self.availability, self.publish, self.push, self.gossip)

    def bound(self, network: Network) -> Self:
        """The emulator for one network: parts that name nodes, such as traces, find them in its rows.

        Whatever is given an emulator and a network calls this by itself.

        Raises:
          InputError: the network lacks nodes that are named.
        """
        parts, structure = _flatten(self)
        nodes = Identifiers(network.node_names, network.num_nodes)
        found = bound(dict(zip(PARTS, parts, strict=True)), nodes)
        return _unflatten(type(self), structure, tuple(found[name] for name in PARTS))

    def units(self, num_features: int, dtype: DTypeLike = jnp.float32) -> tuple[int, ...]:
        """Width of each layer's embedding, for nodes of `num_features` features.

        Raises:
          InputError: a layer cannot be applied, or gives no vector.
        """
        units: list[int] = []
        for index, layer in enumerate(self.layers):
            units.append(layer_units(f"layers[{index}]", layer, num_features, dtype))
            num_features = units[-1]
        return tuple(units)


PARTS = ("layers", "objective", "optimizer", "push", "gossip", "publish", "availability")
STRUCTURE = ("num_positives", "start", "awake_share", "param_dtype", "kernels")


def _flatten(spec: Spec) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    return tuple(getattr(spec, name) for name in PARTS), tuple(getattr(spec, name) for name in STRUCTURE)


def _unflatten(cls: type[Any], structure: tuple[Any, ...], parts: tuple[Any, ...]) -> Any:
    spec = object.__new__(cls)  # parts may be tracers or placeholders: nothing to check
    for name, value in zip((*PARTS, *STRUCTURE), (*parts, *structure), strict=True):
        object.__setattr__(spec, name, value)
    return spec


def register(cls: type[Spec]) -> None:
    """Makes a class of specs fit to be passed to compiled functions: parts are traced, the rest is structure."""
    jax.tree_util.register_pytree_node(cls, _flatten, functools.partial(_unflatten, cls))


register(Spec)


def _checked_dtype(given: Any) -> str:
    """The name of a precision in which parameters can be kept."""
    try:
        name = jnp.dtype(given).name
    except TypeError:
        name = None
    if name != "bfloat16":
        raise InputError(f'param_dtype: got {given!r}, and "bfloat16", or None for that of the features, is needed')
    return name


def _checked_parts(name: str, given: Any, kind: type, example: str) -> tuple[Any, ...]:
    """The parts as a tuple, with every member ready to be an argument of a compiled function."""
    parts = (given,) if isinstance(given, kind) else given
    if not isinstance(parts, list | tuple) or not parts:
        raise InputError(f"{name}: got {given!r}, and {example} or the like is needed")
    for part in parts:
        _check_kind(name, part, kind, example)
    return tuple(map(as_argument, parts))


def _check_kind(name: str, given: Any, kind: type, example: str) -> None:
    if not isinstance(given, kind):
        raise InputError(f"{name}: got {given!r}, and {example} is needed")
