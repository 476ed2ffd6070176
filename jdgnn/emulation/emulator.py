"""The emulator: the parts put together, checked, and ready to be compiled.

Axes: N nodes, L layers, F' units of a layer.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.typing import DTypeLike
from numpy.typing import NDArray

from jdgnn.checks import check_count
from jdgnn.emulation.check_parts import check_learning, check_merge, layer_units
from jdgnn.emulation.layerwise import layer_output
from jdgnn.emulation.per_node import per_node
from jdgnn.emulation.state import State, nothing_in_flight
from jdgnn.errors import InputError, suggestion
from jdgnn.learning.layers import Layer
from jdgnn.learning.local_step import init_params
from jdgnn.learning.objectives import Objective
from jdgnn.learning.optimizers import Optimizer, from_optax
from jdgnn.network.convert import as_network
from jdgnn.network.network import Network
from jdgnn.network.topology import Topology, topology
from jdgnn.parts import as_argument
from jdgnn.protocol.accounts import no_accounts
from jdgnn.protocol.events import destinations
from jdgnn.protocol.sample_buffer import empty_buffer
from jdgnn.protocol.traffic import Gossip, Push

STARTS = ("common", "independent")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Emulator:
    """N nodes, each with its own GNN, that learn without a server and without labels.

    Attributes:
      layers: the GNN layers, bottom first; every node has its own parameters of each.
      objective: the self-supervised loss each layer trains on, one for all or one per layer.
      optimizer: how a layer steps: from `jdgnn.adam` and its sisters, or any optax optimiser.
      push: how embeddings are pushed to random nodes, where they serve as negatives; None for not at all.
      gossip: how models are sent to random nodes and merged; None for not at all.
      num_positives: K, how many in-neighbours a layer compares with in a tick; all where there are fewer.
      start: `common` (all nodes start from the same parameters, as from a shared seed) or `independent`.

    Raises:
      InputError: a part is missing or of the wrong kind.

    Example:
      >>> import jax, jdgnn
      >>> emulator = jdgnn.Emulator(
      ...     layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(), optimizer=jdgnn.adam(1e-2),
      ...     push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> network = jdgnn.network.generators.ring(6)
      >>> state = emulator.init(jax.random.key(0), network)
      >>> emulator.embeddings(state).shape
      (6, 8)
    """

    layers: Sequence[Layer]
    objective: Objective | Sequence[Objective]
    optimizer: Optimizer | optax.GradientTransformation
    push: Push | None
    gossip: Gossip | None
    num_positives: int = 8
    start: str = "common"

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
        if len(objectives) == 1:
            objectives *= len(layers)
        for name, value in (("layers", layers), ("objective", objectives), ("optimizer", optimizer)):
            object.__setattr__(self, name, value)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objective of each layer."""
        assert not isinstance(self.objective, Objective)
        return tuple(self.objective)

    def init(self, key: jax.Array, network: Any) -> State:
        """All nodes before the first tick.

        Args:
          key: where all randomness of the run comes from, as `jax.random.key(0)`.
          network: a `Network`, or what `jdgnn.network.as_network` makes one of.

        Returns:
          The state; embeddings are zeros, and nothing has been sent.

        Raises:
          InputError: `key` is no PRNG key, or the network makes no sense.
        """
        _check_key(key)
        network = as_network(network)
        features = features_of(network)
        self._check_parts(features, topology(network))
        return _init(self, key, features)

    def _check_parts(self, features: jax.Array, links: Topology) -> None:
        inputs, units = features.shape[1:], self.units(features.shape[1], features.dtype)
        for index, layer in enumerate(self.layers):
            part, width = f"objective[{index}]", (*inputs, *units)[index]
            check_learning(part, layer, self.objectives[index], self.optimizer, width, units[index], features.dtype)
        if self.gossip is not None:
            model = jax.eval_shape(
                lambda key: init_model(self, key, (*inputs, *units), features.dtype), jax.random.key(0)
            )
            check_merge(self.gossip.merge, model)
        for setting in (self.push, self.gossip):
            jax.eval_shape(destinations, jax.random.key(0), links, setting)

    def shapes(self, network: Any, key: Any = None) -> State:
        """The state of a network as shapes and dtypes only; nothing is computed.

        Args:
          network: the network.
          key: a PRNG key of the kind the run takes; the default kind if None.

        Returns:
          A `State` of `jax.ShapeDtypeStruct`.
        """
        features = as_network(network).features
        dtype = jax.dtypes.canonicalize_dtype(features.dtype)
        key = jax.eval_shape(lambda: jax.random.key(0)) if key is None else key
        return shapes_of(self, key, jax.ShapeDtypeStruct(features.shape, dtype))

    def embeddings(self, state: State, *, layer: int | None = None) -> NDArray[np.floating]:
        """What the nodes hold: the embeddings each last published.

        Args:
          state: all nodes.
          layer: number of one layer; None puts all layers side by side.

        Returns:
          One vector per node [N, F'], or [N, sum of F']; zeros before a node's first wake.

        Raises:
          InputError: there is no such layer, or the state was consumed.
        """
        check_alive(state)
        if layer is None:
            return np.concatenate([np.asarray(h) for h in state.embeddings], axis=1)
        if not isinstance(layer, int) or not 0 <= layer < len(self.layers):
            raise InputError(f"layer: got {layer!r}, and there are layers 0 to {len(self.layers) - 1}")
        return np.asarray(state.embeddings[layer])

    def encode(self, params: tuple[Any, ...], network: Any) -> NDArray[np.floating]:
        """Embeddings that given parameters would give if every message were fresh.

        With the parameters of `init` this is the untrained encoder, the first control of what was learned.

        Args:
          params: `state.params`.
          network: the network.

        Returns:
          All layers side by side [N, sum of F'].

        Raises:
          InputError: the parameters are not those of this emulator and network.
        """
        network = as_network(network)
        features = features_of(network)
        wanted = shapes_of(self, jax.random.key(0), features).params
        if jax.tree.map(jnp.shape, wanted) != jax.tree.map(jnp.shape, params):
            raise InputError("params: these are not the parameters of this emulator on this network; give state.params")
        return np.asarray(_encode(self, params, topology(network), features))

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


def _flatten(emulator: Emulator) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    parts = (emulator.layers, emulator.objective, emulator.optimizer, emulator.push, emulator.gossip)
    return parts, (emulator.num_positives, emulator.start)


def _unflatten(structure: tuple[Any, ...], parts: tuple[Any, ...]) -> Emulator:
    emulator = object.__new__(Emulator)  # parts may be tracers or placeholders: nothing to check
    names = ("layers", "objective", "optimizer", "push", "gossip", "num_positives", "start")
    for name, value in zip(names, (*parts, *structure), strict=True):
        object.__setattr__(emulator, name, value)
    return emulator


jax.tree_util.register_pytree_node(Emulator, _flatten, _unflatten)


@jax.jit
def _init(emulator: Emulator, key: jax.Array, features: jax.Array) -> State:
    num_nodes, num_features = features.shape
    dtype = features.dtype
    params_key, run_key = jax.random.split(key)
    units = emulator.units(num_features, dtype)
    params = _init_params(emulator, params_key, num_nodes, (num_features, *units), dtype)
    num_pushes = 0 if emulator.push is None else emulator.push.fanout
    num_models = 0 if emulator.gossip is None else emulator.gossip.fanout
    return State(
        tick=jnp.zeros((), jnp.int32),
        key=run_key,
        params=params,
        opt_state=tuple(per_node(emulator.optimizer.init)(layer) for layer in params),
        embeddings=tuple(jnp.zeros((num_nodes, width), dtype) for width in units),
        is_published=jnp.zeros(num_nodes, bool),
        samples=empty_buffer(num_nodes, emulator.push.capacity if emulator.push else 0, units, dtype),
        in_flight=nothing_in_flight(num_nodes, num_pushes, num_models),
        age=jnp.zeros(num_nodes, jnp.int32),
        wakes=jnp.zeros(num_nodes, jnp.int32),
        num_steps=jnp.zeros((num_nodes, len(units)), jnp.int32),
        num_idle=jnp.zeros((len(units), 2), jnp.uint32),
        initial_norm=jnp.mean(per_node(optax.tree.norm)(params)),
        accounts=no_accounts(),
    )


def _init_params(
    emulator: Emulator, key: jax.Array, num_nodes: int, widths: tuple[int, ...], dtype: Any
) -> tuple[Any, ...]:
    def init_one(key: jax.Array) -> tuple[Any, ...]:
        return init_model(emulator, key, widths, dtype)

    if emulator.start == "independent":
        return per_node(init_one)(jax.random.split(key, num_nodes))
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (num_nodes, *leaf.shape)), init_one(key))


def shapes_of(emulator: Emulator, key: Any, features: Any) -> State:
    """Shapes of the state for features [N, F0], themselves an array or a shape."""
    return jax.eval_shape(_init, emulator, key, features)


def init_model(emulator: Emulator, key: jax.Array, widths: tuple[int, ...], dtype: Any) -> tuple[Any, ...]:
    """Draws the parameters of all layers of one node; `widths` are F0 and the units of each layer."""
    keys = jax.random.split(key, len(emulator.layers))
    return tuple(
        init_params(layer, emulator.objectives[index], keys[index], widths[index], widths[index + 1], dtype)
        for index, layer in enumerate(emulator.layers)
    )


def features_of(network: Network) -> jax.Array:
    """Puts features on the accelerator [N, F0], in the precision it computes in.

    Raises:
      InputError: a number is too large for that precision.
    """
    dtype = jax.dtypes.canonicalize_dtype(network.features.dtype)
    if dtype == network.features.dtype:
        return jnp.asarray(network.features)
    with np.errstate(over="ignore"):
        features = network.features.astype(dtype)
    if not np.isfinite(features).all():
        raise InputError(f"features: an entry is too large for {features.dtype}; scale them, or turn jax_enable_x64 on")
    return jnp.asarray(features)


def check_alive(state: Any) -> None:
    """Raises InputError unless this is a state whose arrays are there."""
    if not isinstance(state, State):
        raise InputError(f"state: got {type(state).__name__}, and what emulator.init or a run gave is needed")
    if any(isinstance(leaf, jax.Array) and leaf.is_deleted() for leaf in jax.tree.leaves(state)):
        raise InputError(
            "state: an earlier run has consumed it; go on with the state that run returned, or run on jdgnn.copy(state)"
        )


@jax.jit
def _encode(emulator: Emulator, params: tuple[Any, ...], links: Topology, features: jax.Array) -> jax.Array:
    vectors = [features]
    for layer, layer_params in zip(emulator.layers, params, strict=True):
        own = vectors[-1]
        mask = jnp.ones(links.num_edges, bool)
        vectors.append(layer_output(layer, layer_params["layer"], links, own, own[links.senders], mask))
    return jnp.concatenate(vectors[1:], axis=1)


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


def _check_key(key: Any) -> None:
    if not isinstance(key, jax.Array) or not jnp.issubdtype(key.dtype, jax.dtypes.prng_key) or key.shape:
        raise InputError(f"key: got {type(key).__name__}, and one PRNG key such as jax.random.key(0) is needed")
