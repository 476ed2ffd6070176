"""The emulator: its parts, and what can be done with them.

Axes: N nodes, L layers, F' units of a layer.
"""

import dataclasses
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.typing import DTypeLike
from numpy.typing import NDArray

from jdgnn.backend.backend import NAMES
from jdgnn.backend.bfloat16 import widened
from jdgnn.checks import check_count, check_not_consumed, check_number
from jdgnn.deprecated import old_arguments
from jdgnn.emulation.arrays import bound_to_network, features_of
from jdgnn.emulation.check_parts import (
    check_attack,
    check_attackers,
    check_carried,
    check_content,
    check_effect,
    check_learning,
    check_merge,
    check_traffic,
    units_of,
)
from jdgnn.emulation.layerwise import layer_output
from jdgnn.emulation.memory import run_bytes
from jdgnn.emulation.spec import Spec, register
from jdgnn.emulation.start import event_shapes, init, init_model, shapes_of
from jdgnn.emulation.state import State, check_alive, check_network_of
from jdgnn.emulation.ways import why_plain
from jdgnn.errors import InputError, suggestion
from jdgnn.learning.layers import Layer
from jdgnn.learning.objectives import Objective
from jdgnn.learning.optimizers import Optimizer, from_optax
from jdgnn.learning.optimizers.merged import without_moments
from jdgnn.network.conversion import as_network
from jdgnn.network.network import Network
from jdgnn.network.topology import Topology, topology
from jdgnn.parts import as_argument, with_partials
from jdgnn.protocol.availability import Availability, availability
from jdgnn.protocol.roles import Attackers
from jdgnn.protocol.traffic import Gossip, Publish, Push, publish

INITIAL = ("shared", "independent")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Emulator(Spec):
    """N nodes, each with its own GNN, that learn without a server and without labels.

    Attributes:
      layers: the GNN layers, bottom first; every node has its own parameters of each.
      objective: the self-supervised loss each layer trains on, one for all or one per layer.
      optimizer: how a layer steps: from `jdgnn.adam` and its sisters, or any optax optimiser.
      push: how embeddings are pushed to random nodes, where they serve as negatives; None for not at all.
      gossip: how models are sent to random nodes and merged; None for not at all.
      publish: how embeddings are sent to graph neighbours; at every wake, over perfect links, if None.
      availability: who is online and awake when; always everybody, if None.
      attackers: who sends other models than its own, and which; nobody if None.
      num_positives: K, how many in-neighbours a layer compares with in a tick; all where there are fewer.
      initial: `shared` (all nodes start from the same parameters, as from a shared seed) or `independent`.
      active_fraction: where nodes sleep, the share of nodes that the fast path has room for, which computes only those
        that are awake. Choose it a little above the usual share; ticks with more are computed in full, to the same
        result, and counted. None computes all rows in every tick.
      param_dtype: the precision parameters are kept and sent in: that of the features, if None; "bfloat16" takes half
        of the memory. Merges and steps are computed in float32 then, and rounded stochastically, so that small steps
        are not lost on average. Optimiser states and embeddings stay in float32.
      backend: how arrays are computed; results are the same, up to rounding. `cpu` takes compiled kernels, and it is an
        error if an operation has none, which says why; `plain` takes JAX alone, in blocks that fit into a cache;
        `accelerator` takes JAX alone, on whole arrays. None takes what is fastest: `accelerator` where JAX computes on
        one, else kernels wherever they can be used, else `plain`.
      cores: for how many cores compiled kernels cut work: those that the process may use, if None. The last bits of
        small networks depend on it, so state it to get those of a machine with another number.

    Raises:
      InputError: a part is missing or of the wrong kind, or a setting can have no effect.

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

    def __post_init__(self) -> None:
        check_count("num_positives", self.num_positives)
        if self.initial == "common":
            warnings.warn("initial='common' is now initial='shared'", DeprecationWarning, stacklevel=3)
            object.__setattr__(self, "initial", "shared")
        if self.initial not in INITIAL:
            raise InputError(f"initial: got {self.initial!r}; {suggestion(str(self.initial), INITIAL)}")
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
        if self.attackers is not None:
            _check_kind("attackers", self.attackers, Attackers, "jdgnn.attackers(...), or None")
        if self.param_dtype is not None:
            object.__setattr__(self, "param_dtype", _checked_dtype(self.param_dtype))
        if self.backend is not None and self.backend not in NAMES:
            raise InputError(f"backend: got {self.backend!r}; {suggestion(str(self.backend), NAMES)}")
        if self.cores is not None:
            check_count("cores", self.cores)
        if self.active_fraction is not None:
            check_number("active_fraction", self.active_fraction, above=0, maximum=1)
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
            ("attackers", with_partials(self.attackers)),
        ):
            object.__setattr__(self, name, value)
        check_effect(self.traffic, self.active_fraction)

    def init(self, key: jax.Array, network: Any) -> State:
        """All nodes before the first tick.

        Args:
          key: where all randomness of the run comes from, as `jax.random.key(0)`.
          network: a `Network`, or what `jdgnn.network.as_network` makes one of.

        Returns:
          The state; embeddings are zeros, and nothing has been sent.

        Raises:
          InputError: `key` is no PRNG key, or the network is invalid.
        """
        _check_key(key)
        network = as_network(network)
        features, links = features_of(network), topology(network)
        emulator = self.bound(network)
        _check_parts(emulator, features, links)
        return init(emulator, key, links, features, jnp.array(network.identity))

    def shapes(self, network: Any, key: Any = None) -> State:
        """The state of a network as shapes and dtypes only; nothing is computed.

        Args:
          network: the network.
          key: a PRNG key of the kind the run takes; the default kind if None.

        Returns:
          A `State` of `jax.ShapeDtypeStruct`.
        """
        network = as_network(network)
        features, links = network.features, topology(network)
        dtype = jax.dtypes.canonicalize_dtype(features.dtype)
        key = jax.eval_shape(lambda: jax.random.key(0)) if key is None else key
        return shapes_of(self, key, links, jax.ShapeDtypeStruct(features.shape, dtype))

    def memory(self, network: Any) -> dict[str, int]:
        """How many bytes a run on this network takes, by part, before anything is allocated.

        Buffers that this emulator has no need of are not listed. Compiles the program of a tick, to learn how much
        working memory it needs.

        Args:
          network: the network.

        Returns:
          Bytes by part; their sum is what the run takes.

        Raises:
          InputError: the network is invalid, or a part gives not what is needed.

        Example:
          >>> import jdgnn
          >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(), optimizer=jdgnn.sgd(0.1),
          ...     push=jdgnn.push(), gossip=jdgnn.gossip())
          >>> emulator.memory(jdgnn.generators.ring(100))["parameters"]
          105600
        """
        network = as_network(network)
        emulator, state = self.bound(network), self.shapes(network)
        features = jax.ShapeDtypeStruct(network.features.shape, state.embeddings[0].dtype)
        _check_parts(emulator, features, topology(network))
        return run_bytes(emulator, network, state)

    def bound(self, network: Network) -> "Emulator":
        """The emulator for one network: parts that name nodes, such as traces, find them in its rows.

        Whatever is given an emulator and a network calls this by itself.

        Raises:
          InputError: the network lacks nodes that are named.
        """
        return bound_to_network(self, network)

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
            raise InputError(f"layer: expected 0 to {len(self.layers) - 1}, got {layer!r}")
        return np.asarray(state.embeddings[layer])

    def encode(self, params: tuple[Any, ...] | State, network: Any) -> NDArray[np.floating]:
        """Embeddings that given parameters would give if every message were fresh.

        With the parameters of `init` this is the untrained encoder, the first baseline of what was learned.

        Args:
          params: `state.params`; or a state, which knows its network. Parameters know how many nodes and features it
            has, and not who is linked.
          network: the network.

        Returns:
          All layers side by side [N, sum of F'].

        Raises:
          InputError: the parameters are not those of this emulator and network, or were consumed.
        """
        network = as_network(network)
        check_not_consumed("params", params)
        if isinstance(params, State):
            check_network_of(params, network)
            params = params.params
        features, links = features_of(network), topology(network)
        _check_shapes(params, shapes_of(self, jax.random.key(0), links, features).params, network)
        return np.asarray(_encode(self.bound(network), params, links, features))

    def units(self, num_features: int, dtype: DTypeLike = jnp.float32) -> tuple[int, ...]:
        """Width of each layer's embedding, for nodes of `num_features` features.

        Raises:
          InputError: a layer cannot be applied, or gives no vector.
        """
        return units_of(self.layers, num_features, dtype)


register(Emulator)
_with_old_names = old_arguments(
    start="initial", awake_share="active_fraction", kernels=("backend", {True: "cpu", False: "plain", None: None})
)
Emulator.__init__ = _with_old_names(Emulator.__init__)  # type: ignore[method-assign]


def _check_parts(spec: Spec, features: jax.Array | jax.ShapeDtypeStruct, links: Topology) -> None:
    if spec.param_dtype is not None and features.dtype != jnp.float32:
        raise InputError(
            f"param_dtype: got {spec.param_dtype} for features in {features.dtype}; give features in float32, or None"
        )
    inputs, units = features.shape[1:], units_of(spec.layers, features.shape[1], features.dtype)
    for index, layer in enumerate(spec.layers):
        part, width = f"objective[{index}]", (*inputs, *units)[index]
        check_learning(part, layer, spec.objectives[index], spec.optimizer, width, units[index], features.dtype)
    if spec.gossip is not None:
        model = jax.eval_shape(lambda key: init_model(spec, key, (*inputs, *units), features.dtype), jax.random.key(0))
        check_merge(spec.gossip.merge, model, spec.gossip.capacity)
        if spec.gossip.content is not None:
            check_content("gossip.content", spec.gossip.content, model)
            check_carried(spec.gossip.content, spec.gossip.merge, model)
        if spec.attackers is not None:
            alone = tuple(map(without_moments, model))
            check_attack("attackers.attack.corrupt", spec.attackers.attack, alone)
            check_attackers(spec.attackers, links.num_nodes)
    check_traffic(spec.traffic, links)
    state = shapes_of(spec, jax.random.key(0), links, features)
    event_shapes(spec, links, state)
    reason = why_plain(spec, state, features)
    if spec.backend == "cpu" and reason is not None:
        raise InputError(f"backend: got 'cpu', and compiled kernels cannot be used: {reason}")


def _check_shapes(params: Any, wanted: Any, network: Network) -> None:
    """Rejects parameters of other shapes than this emulator has on a network; says what differs."""
    given, expected = (
        {jax.tree_util.keystr(place): jnp.shape(leaf) for place, leaf in jax.tree.leaves_with_path(tree)}
        for tree in (params, wanted)
    )
    if given == expected:
        return
    first = next(place for place in (*expected, *given) if given.get(place) != expected.get(place))
    shape, num_nodes = given.get(first), network.num_nodes
    what = f"{'none' if shape is None else list(shape)} for params{first}"
    if shape and first in expected and shape[0] != num_nodes:
        what = f"those of {shape[0]:,} nodes"
    raise InputError(
        f"params: expected the parameters of this emulator on a network of {num_nodes:,} nodes with "
        f"{network.num_features:,} features, got {what}; give state.params"
    )


@jax.jit
def _encode(spec: Spec, params: tuple[Any, ...], links: Topology, features: jax.Array) -> jax.Array:
    vectors = [features]
    for layer, layer_params in zip(spec.layers, widened(params), strict=True):
        own = vectors[-1]
        mask = jnp.ones(links.num_edges, bool)
        vectors.append(layer_output(layer, layer_params["layer"], links, own, own[links.senders], mask))
    return jnp.concatenate(vectors[1:], axis=1)


def _check_key(key: Any) -> None:
    if not isinstance(key, jax.Array) or not jnp.issubdtype(key.dtype, jax.dtypes.prng_key) or key.shape:
        raise InputError(f"key: expected one PRNG key such as jax.random.key(0), got {type(key).__name__}")
    check_not_consumed("key", key)


def _checked_dtype(given: Any) -> str:
    """The name of a precision in which parameters can be kept."""
    try:
        name = jnp.dtype(given).name
    except TypeError:
        name = None
    if name != "bfloat16":
        raise InputError(f'param_dtype: expected "bfloat16", or None for that of the features, got {given!r}')
    return name


def _checked_parts(name: str, given: Any, kind: type, example: str) -> tuple[Any, ...]:
    """The parts as a tuple, with every member ready to be an argument of a compiled function."""
    parts = (given,) if isinstance(given, kind) else given
    if not isinstance(parts, list | tuple) or not parts:
        raise InputError(f"{name}: expected {example} or the like, got {given!r}")
    for part in parts:
        _check_kind(name, part, kind, example)
    return tuple(map(as_argument, parts))


def _check_kind(name: str, given: Any, kind: type, example: str) -> None:
    if not isinstance(given, kind):
        raise InputError(f"{name}: expected {example}, got {given!r}")
