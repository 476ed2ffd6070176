"""The standard workload: what one tick of N nodes is to do, as options, and an emulator and a network of them.

Unless options say otherwise it is the work of `bench.torch_loops`: one layer of 64 units and tanh, 8 neighbours' and 8
random nodes' embeddings in a logistic loss, gradient descent, and a merge with one other node's model in every tick.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import jdgnn
from jdgnn import clocks, links, merging
from jdgnn.backend.backend import NAMES
from jdgnn.emulation.start import tree_bytes
from jdgnn.emulation.ways import why_plain

NEVER = 2**30
LOSS, DELAY, AWAKE = 0.1, 10, 0.5  # where it is asynchronous
ROOM, POOL = 0.55, 4.0  # for awake nodes, and for models that are late or wait, as shares of all nodes
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: jdgnn.sgd(0.1),
    "momentum": lambda: jdgnn.momentum(0.1),
    "adam": lambda: jdgnn.adam(1e-2),
}
OBJECTIVES: dict[str, Callable[[], Any]] = {
    "edge_reconstruction": lambda: jdgnn.edge_reconstruction(scale=1.0),
    "info_nce": jdgnn.info_nce,
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "optimizer": tuple(OPTIMIZERS),
    "sampler": ("rotation", "permutation", "matching", "uniform"),
    "merge": tuple(merging.MERGES),
    "objective": tuple(OBJECTIVES),
    "dtype": ("float32", "float64"),
    "param_dtype": (None, "bfloat16"),
    "backend": (None, *NAMES),
}


@dataclasses.dataclass(frozen=True)
class Options:
    """What is to be done.

    Attributes:
      nodes: N.
      units: width of features and of every layer.
      layers: how many.
      degree: how many neighbours a node has, on average.
      positives: neighbours' embeddings that a step compares with.
      negatives: pushed embeddings that a node sends in a tick, and keeps.
      optimizer: one of `OPTIMIZERS`.
      gossip: whether models are sent and merged.
      sampler: who gets them.
      merge: by which rule, one of `jdgnn.merging.MERGES`.
      objective: one of `OBJECTIVES`; with `edge_reconstruction` layers end in tanh, with `info_nce` in vectors of
        length one.
      asynchronous: half of the nodes awake, a tenth of all messages dropped and the others, models too, up to 10 ticks
        late; with room for 55 % of the nodes to be awake, and for 4 models per node that are late or wait.
      dtype: of everything.
      param_dtype: of `jdgnn.Emulator`.
      backend: of `jdgnn.Emulator`.
      record_every: of `jdgnn.run`; the default measures the last tick of a run only.
      seed: of the network and of the run.

    Raises:
      ValueError: a choice is none of those there are, or a number is below one.
    """

    nodes: int = 20_000
    units: int = 64
    layers: int = 1
    degree: int = 8
    positives: int = 8
    negatives: int = 8
    optimizer: str = "sgd"
    gossip: bool = True
    sampler: str = "rotation"
    merge: str = "average"
    objective: str = "edge_reconstruction"
    asynchronous: bool = False
    dtype: str = "float32"
    param_dtype: str | None = None
    backend: str | None = None
    record_every: int = NEVER
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}, not one of {', '.join(map(repr, choices))}")
        for name in ("nodes", "units", "layers", "degree", "positives", "negatives", "record_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, and must be at least 1")

    @property
    def num_parameters(self) -> int:
        """P, of one node."""
        return self.layers * self.units * (self.units + 1)

    @property
    def awake(self) -> float:
        """The share of nodes that are awake in a tick."""
        return AWAKE if self.asynchronous else 1.0


def emulator_of(options: Options) -> jdgnn.Emulator:
    """The emulator that does it."""
    late = jdgnn.link(drop=LOSS, delay=links.uniform(0, DELAY)) if options.asynchronous else None
    raw: dict[str, Any] = {"activation": "tanh", "normalize": False} if options.objective != "info_nce" else {}
    return jdgnn.Emulator(
        layers=[jdgnn.gcn(options.units, **raw) for _ in range(options.layers)],
        objective=OBJECTIVES[options.objective](),
        optimizer=OPTIMIZERS[options.optimizer](),
        publish=jdgnn.publish(link=late),
        push=jdgnn.push(fanout=options.negatives, capacity=options.negatives, link=late),
        gossip=jdgnn.gossip(
            peers=jdgnn.peers.PEERS[options.sampler](),
            merge=merging.MERGES[options.merge](),
            link=late,
            pool=POOL if options.asynchronous else None,
        )
        if options.gossip
        else None,
        availability=jdgnn.availability(clocks.bernoulli(AWAKE)) if options.asynchronous else None,
        num_positives=options.positives,
        active_fraction=ROOM if options.asynchronous else None,
        param_dtype=options.param_dtype,
        backend=options.backend,
    )


def random_network(
    num_nodes: int, units: int = 64, degree: int = 8, seed: int = 0, dtype: str = "float32"
) -> jdgnn.Network:
    """As many random links as give this mean degree, and random features."""
    generator = np.random.default_rng(seed)
    senders, receivers = generator.integers(0, num_nodes, (2, num_nodes * degree // 2))
    features = generator.normal(size=(num_nodes, units)).astype(dtype)
    return jdgnn.network.from_edges(senders, receivers, features, undirected=True)


def network_of(options: Options) -> jdgnn.Network:
    """The network it is done on."""
    return random_network(options.nodes, options.units, options.degree, options.seed, options.dtype)


class Emulated:
    """The workload, compiled and warmed up, to be run as users run it: by `jdgnn.run`, with all that it keeps.

    Args:
      options: what is to be done.

    Attributes:
      about: what is known before anything is timed: seconds of compilation, why no kernels are used (None if they
        are), bytes of parameters and optimiser state, and of the whole state.
    """

    def __init__(self, options: Options) -> None:
        if options.dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        self.options = options
        self.emulator, self.network = emulator_of(options), network_of(options)
        self._state = self.emulator.init(jax.random.key(options.seed), self.network)
        self.about: dict[str, Any] = {
            "why_plain": why_plain(self.emulator, self._state, self.network.features),
            "model_bytes": tree_bytes((self._state.params, self._state.opt_state)),
            "state_bytes": tree_bytes(self._state),
            "compile_seconds": self._run(2).compile_seconds,
        }

    def run(self, rounds: int) -> float:
        """Seconds that so many ticks take."""
        return self._run(rounds).seconds

    def _run(self, ticks: int) -> jdgnn.History:
        self._state, history = jdgnn.run(
            self.emulator, self._state, self.network, ticks, record_every=self.options.record_every
        )
        return history


def emulated(threads: int | None = None, **options: Any) -> Emulated:
    """The workload as a contender of `bench.worker`.

    Args:
      threads: left to the worker, which says on how many cores it runs.
      **options: of `Options`.

    Returns:
      What runs it.
    """
    del threads
    return Emulated(Options(**options))
