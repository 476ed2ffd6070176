"""The engine and the oracle, fed the same events, agree to 1e-9 in float64: after every tick, and end to end."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import jdgnn
from jdgnn.emulation.metrics import staleness
from jdgnn.emulation.start import message_bytes, sample_events
from jdgnn.emulation.tick import apply_events, refresh_tick
from jdgnn.emulation.ways import backend_of
from jdgnn.network.network import Network, from_edges
from jdgnn.network.topology import Topology, topology
from jdgnn.protocol.accounts import KINDS, OUTCOMES
from jdgnn.protocol.events import Events
from jdgnn.reference.oracle import Oracle
from tests.backend.fast import FAST_OBJECTIVES
from tests.emulation import comparing
from tests.emulation.cases import AVAILABILITIES, AXES, LINKS, Case, covering, kinds, pairwise
from tests.emulation.comparing import assert_close

pytestmark = pytest.mark.filterwarnings("ignore::jdgnn.emulation.run.RemarkWarning")  # of inboxes of one

NUM_TICKS, NUM_FEATURES = 30, 3
SMALL, PAIR, SINGLE = (6, 9), (2, 1), (1, 0)  # numbers of nodes and edges: few shapes, so that little is compiled

PAIRS = pairwise()
STATED = {
    "plain": Case(),
    "plain-matching": Case(peers="matching", fanout=1, optimizer="adam", initial="independent", inbox_capacity=1),
    "put-off": Case(("sage",), peers="permutation", link="bernoulli", merge="age_weighted", inbox_capacity=1, expiry=2),
    "lossy-matching": Case(peers="matching", fanout=1, link="bernoulli", acceptance=1, merge="variance_corrected"),
    "no-push": Case(("sage", "gcn"), "edge_reconstruction", has_push=False, availability="bernoulli", link="uniform"),
    "no-gossip": Case(
        ("gcn", "sage"), has_gossip=False, sample_capacity=1, availability="churn", link="geometric", expiry=2
    ),
    "three-layers": Case(
        ("gcn", "sage", "gcn"), "edge_reconstruction", num_positives=1, availability="periodic", expiry=1
    ),
    "tight-pool": Case(
        availability="bernoulli",
        link="uniform",
        fanout=3,
        pool=1.0,
        acceptance=2,
        inbox_capacity=3,
        merge="age_weighted",
        content="top_k",
    ),
    "token-account": Case(
        availability="on_receipt",
        link="bernoulli",
        fanout=3,
        model_schedule=2,
        push_schedule=2,
        inbox_capacity=3,
        attackers=0.4,
    ),
    "late-pushes": Case(("sage", "sage"), link="uniform", sample_capacity=2, fanout=3, availability="crash"),
    "merge-later": Case(
        ("gcn",), "edge_reconstruction", order="train_then_merge", availability="late_joining", link="measured"
    ),
    "compact": Case(optimizer="adam", availability="bernoulli", active_fraction=0.5, order="train_then_merge"),
    "merged-moments": Case(optimizer="momentum", merged=True, peers="permutation", fanout=1, inbox_capacity=1),
    "merged-moments-late": Case(
        ("sage", "gcn"), merged=True, optimizer="adam", merge="age_weighted", availability="bernoulli", link="uniform"
    ),
    "merged-moments-later": Case(
        ("gat", "gcn"), merged=True, optimizer="adam", merge="variance_corrected", order="train_then_merge"
    ),
    "agreeing": Case(
        order="merge_only",
        merge="uniform_mean",
        availability="trace",
        link="partition",
        initial="independent",
        fanout=3,
    ),
}
TAKEN = tuple(FAST_OBJECTIVES)  # by kernels
CASES = {  # objectives take turns where none is stated
    name: replace(case, objective=TAKEN[number % len(TAKEN)]) if case.objective == Case.objective else case
    for number, (name, case) in enumerate(STATED.items())
}
SELDOM = (
    *("plain", "plain-matching", "lossy-matching", "no-push", "three-layers", "tight-pool", "late-pushes"),
    *("merge-later", "merged-moments", "merged-moments-later", "agreeing"),
)
ORDINARY = [name for name in CASES if name not in SELDOM]
COVERED = covering(PAIRS, [CASES[name] for name in ORDINARY])
DEGENERATE = [("plain", SINGLE)]
ROUND_TRIPS = ("put-off", "tight-pool", "put-off-on-accelerator")
KNOWN = CASES | PAIRS
WITHOUT_KERNELS = {  # every second case once more
    f"{name}-without-kernels": replace(case, backend="plain")
    for number, (name, case) in enumerate(KNOWN.items())
    if number % 2 or name in CASES
}
ON_ACCELERATOR = {f"{name}-on-accelerator": replace(case, backend="accelerator") for name, case in KNOWN.items()}
ALL_CASES = KNOWN | WITHOUT_KERNELS | ON_ACCELERATOR
SWITCHED_OFF = ["put-off-without-kernels", *(f"{name}-on-accelerator" for name in ("put-off", *ORDINARY[::2]))]


def runs(choice: Sequence[tuple[str, tuple[int, int]]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("name", "size"), choice, ids=lambda part: part if isinstance(part, str) else f"{part[0]}-nodes"
    )


@pytest.fixture(autouse=True, scope="module")
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@st.composite
def networks(draw: st.DrawFn, num_nodes: int, num_edges: int, num_mute: int = 0) -> Network:
    """Directed networks of a given shape, from input with self-loops and duplicates; often with isolated nodes.

    Up to `num_mute` nodes measure nothing but zeros.
    """
    crowd = draw(st.integers(min(num_nodes, 4), num_nodes))
    pairs = [(u, v) for u in range(crowd) for v in range(crowd) if u != v]
    edges = draw(st.permutations(pairs))[:num_edges]
    loops = [(v, v) for v in draw(st.lists(st.integers(0, num_nodes - 1), max_size=2))]
    twice = draw(st.lists(st.sampled_from(edges), max_size=2)) if edges else []
    ends = np.array(edges + loops + twice, int).reshape(-1, 2)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    features = rng.normal(size=(num_nodes, NUM_FEATURES))
    features[sorted(draw(st.sets(st.integers(0, num_nodes - 1), max_size=num_mute)))] = 0
    return from_edges(ends[:, 0], ends[:, 1], features, link_quality=rng.random(len(ends)))


class Crowded:
    """Events no sampler would draw soon: all write to one node, ranks are tied, positives are missing, storms rage."""

    def __init__(self, draw: st.DataObject, network: Network, max_delay: int) -> None:
        self.rng = np.random.default_rng(draw.draw(st.integers(0, 2**32 - 1)))
        self.num_ranks = draw.draw(st.sampled_from([1, 2, 2**32]))
        self.share_to_hub, self.share_to_nobody = draw.draw(st.sampled_from([(1.0, 0.0), (0.5, 0.2), (0.0, 0.5)]))
        self.loss, self.online, self.wake = (draw.draw(st.sampled_from([0.1, 0.5, 0.9])) for _ in range(3))
        self.network, self.max_delay = network, max_delay
        self.joins_at = self.rng.integers(-8, 12, network.num_nodes)

    def instead_of(self, events: Events, tick: int) -> Events:
        """Events of the same form."""
        num_nodes = self.network.num_nodes
        joined = self.joins_at <= tick
        values: dict[str, Any] = {
            "joined": joined,
            "online": joined & (self.rng.random(num_nodes) < self.online),
            "wake": self.rng.random(num_nodes) < self.wake,
            "positives": self._positives(events.positives.shape[1]),
        }
        if events.link_up is not None:
            values["link_up"] = self.rng.random(events.link_up.shape) < self.online
        for kind in ("embedding", "push", "model"):
            if (lost := getattr(events, f"{kind}_dropped")) is not None:
                values[f"{kind}_dropped"] = self.rng.random(lost.shape) < self.loss
            if (delay := getattr(events, f"{kind}_delay")) is not None:
                values[f"{kind}_delay"] = self.rng.integers(0, self.max_delay + 1, delay.shape).astype(np.int32)
        for kind in ("push", "model"):
            shape = getattr(events, f"{kind}_dst").shape
            values[f"{kind}_dst"] = self._destinations(shape)
            values[f"{kind}_rank"] = self.rng.integers(0, self.num_ranks, shape, dtype=np.uint32)
        drawn = {name: jnp.asarray(value) for name, value in values.items() if getattr(events, name) is not None}
        return replace(events, **drawn)

    def _destinations(self, shape: tuple[int, int]) -> Any:
        num_nodes = self.network.num_nodes
        hub = self.rng.random(shape) < self.share_to_hub
        dst = np.where(hub, self.rng.integers(num_nodes), self.rng.integers(0, num_nodes, shape))
        nobody = self.rng.random(shape) < self.share_to_nobody
        return np.where(nobody | (dst == np.arange(num_nodes)[:, None]), num_nodes, dst).astype(np.int32)

    def _positives(self, num_positives: int) -> Any:
        chosen = np.full((self.network.num_nodes, num_positives), self.network.num_edges, np.int32)
        for v in range(self.network.num_nodes):
            in_edges = self.rng.permutation(np.flatnonzero(self.network.receivers == v))
            count = self.rng.integers(0, min(len(in_edges), num_positives) + 1)
            chosen[v, self.rng.permutation(num_positives)[:count]] = in_edges[:count]
        return chosen


emulators = cache(lambda name, num_nodes: ALL_CASES[name].emulator(num_nodes))
twins = cache(lambda name, num_nodes: ALL_CASES[name].twin(num_nodes))
# compiled often and run little; end to end, the engine is compiled as users have it
quickly_compiled = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
draw_events = quickly_compiled(sample_events, static_argnums=2)


@quickly_compiled
def engine_tick(emulator: Any, links: Topology, features: Any, state: Any, events: Any) -> Any:
    state, info = apply_events(emulator, links, features, state, events)
    return state, info, staleness(links, state, info)


@quickly_compiled
def refresh_engine(emulator: Any, links: Topology, features: Any, state: Any, events: Any) -> Any:
    return refresh_tick(emulator, links, features, state, events)


def oracle_of(name: str, network: Network, state: Any) -> Oracle:
    twin = twins(name, network.num_nodes)
    oracle = Oracle(twin, topology(network), network.features, state.params, state.opt_state)
    for node in oracle.nodes:
        node.is_attacker = state.role is not None and bool(state.role[node.number])
    return oracle


def as_numpy(events: Events) -> Any:
    """The same record with NumPy arrays, keys aside; reading single entries of those is fast."""
    return jax.tree.map(
        lambda leaf: leaf if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else np.asarray(leaf), events
    )


@runs([(name, SMALL) for name in (*ORDINARY, *COVERED, *SWITCHED_OFF)] + DEGENERATE)
@settings(max_examples=2, phases=[Phase.generate])
@given(data=st.data())
def test_agrees_after_every_tick(name: str, size: tuple[int, int], data: st.DataObject) -> None:
    # of numbers that are zero but for rounding none is the largest
    check_every_tick(name, size, data, biased=ALL_CASES[name].content != "whole")


@pytest.mark.long
@runs(
    [
        *((name, SMALL) for name in ALL_CASES),
        *((name, SINGLE) for name, case in ALL_CASES.items() if case.attackers is None),  # who needs somebody honest
        ("plain", PAIR),
        ("tight-pool", PAIR),
        ("token-account", PAIR),
    ]
)
@settings(max_examples=4, phases=[Phase.generate])
@given(data=st.data())
def test_agrees_for_every_pair_of_kinds(name: str, size: tuple[int, int], data: st.DataObject) -> None:
    check_every_tick(name, size, data, biased=True)


def check_every_tick(name: str, size: tuple[int, int], data: st.DataObject, *, biased: bool = False) -> None:
    """Compares all that is held after each tick, each begun by both from the oracle's parameters and embeddings.

    So rounding does not build up: near a vector of no length normalisation magnifies it tick after tick. With biases
    from the start nor does it where nodes without features would have such vectors, and a model that was sent holds
    a bias that is zero but for rounding.
    """
    network = data.draw(networks(*size, num_mute=2))
    emulator, links = (
        emulators(name, size[0]).bound(network),
        topology(network, backend_of(emulators(name, size[0]))),
    )
    features = jnp.asarray(network.features)
    state = emulator.init(jax.random.key(data.draw(st.integers(0, 2**31 - 1))), network)
    if biased:
        state = replace(state, params=jax.tree_util.tree_map_with_path(_with_bias, state.params))
    oracle = oracle_of(name, network, state)
    num_bytes = message_bytes(state)
    is_sampled = ALL_CASES[name].peers == "matching" or data.draw(st.booleans())
    crowd = None if is_sampled else Crowded(data, network, emulator.traffic.publish.link.max_delay)
    refreshed = data.draw(st.sampled_from([(), (11, 12)]))
    for tick in range(NUM_TICKS):
        memory, events = draw_events(emulator, links, num_bytes, state.key, tick, state.availability)
        events = events if crowd is None else crowd.instead_of(events, tick)
        state = replace(state, availability=memory)
        if tick in refreshed:
            state = refresh_engine(emulator, links, features, state, events)
            oracle.refresh(as_numpy(events))
        else:
            state, info, stale = engine_tick(emulator, links, features, state, events)
            oracle.tick(as_numpy(events))
            comparing.assert_same_losses(oracle, info)
            comparing.assert_same_staleness(oracle, *stale)
        comparing.assert_same_state(oracle, state)
        state = replace(state, **comparing.numbers_of(oracle))


def _with_bias(path: Any, leaf: Any) -> Any:
    is_bias = getattr(path[-1], "key", None) == "bias"
    return leaf + jnp.linspace(0.1, 0.3, leaf.size // len(leaf)).reshape(leaf.shape[1:]) if is_bias else leaf


@runs([(name, SMALL) for name in ROUND_TRIPS])
@settings(max_examples=2, phases=[Phase.generate])
@given(data=st.data())
def test_agrees_end_to_end(name: str, size: tuple[int, int], data: st.DataObject) -> None:
    check_end_to_end(name, size, data)


END_TO_END = [  # without what is decided by rounding: which of two equal numbers is larger; on which side of the kink
    # of ReLU a node is whose input was masked, so that it is zero
    name
    for name, case in ALL_CASES.items()
    if name not in ROUND_TRIPS and case.content == Case.content and not case.objective.startswith("masked")
]


@pytest.mark.long
@runs([*((name, SMALL) for name in END_TO_END), ("plain-matching", PAIR), ("plain", SINGLE)])
@settings(max_examples=2, phases=[Phase.generate])
@given(data=st.data())
def test_agrees_end_to_end_in_every_case(name: str, size: tuple[int, int], data: st.DataObject) -> None:
    check_end_to_end(name, size, data)


def check_end_to_end(name: str, size: tuple[int, int], data: st.DataObject) -> None:
    """Compares the history and the final state of one compiled run."""
    network = data.draw(networks(*size))
    emulator, links = (
        emulators(name, size[0]).bound(network),
        topology(network, backend_of(emulators(name, size[0]))),
    )
    state = emulator.init(jax.random.key(data.draw(st.integers(0, 2**31 - 1))), network)
    key, memory, num_bytes = jdgnn.copy(state).key, jdgnn.copy(state).availability, message_bytes(state)
    oracle = oracle_of(name, network, state)
    initial_norm = mean_norm(oracle, everybody=True)
    state, history = jdgnn.run(emulator, state, network, ticks=NUM_TICKS, record_every=7)
    rows = {row["tick"]: row for row in history.rows()}
    assert max(rows) == NUM_TICKS
    for tick in range(NUM_TICKS):
        memory, events = draw_events(emulator, links, num_bytes, key, tick, memory)
        oracle.tick(as_numpy(events))
        if oracle.now in rows:
            assert_same_row(oracle, as_numpy(events), initial_norm, rows[oracle.now])
    comparing.assert_same_state(oracle, state)


def alone(params: Any) -> Any:
    """Without moments that are merged."""
    return [{name: part for name, part in layer.items() if name != "moments"} for layer in params]


def flat_params(oracle: Oracle, joined: Any) -> Any:
    nodes = [node for node in oracle.nodes if joined[node.number]]
    return np.stack([np.concatenate([leaf.ravel() for leaf in jax.tree.leaves(alone(n.params))]) for n in nodes])


def mean_norm(oracle: Oracle, *, everybody: bool = False, joined: Any = None) -> float:
    joined = np.ones(len(oracle.nodes), bool) if everybody else joined
    return float(np.mean(np.linalg.norm(flat_params(oracle, joined), axis=1)))


def assert_same_row(oracle: Oracle, events: Any, initial_norm: float, row: dict[str, Any]) -> None:
    """One recorded row of the history against the nodes themselves."""
    honest = np.array([not node.is_attacker for node in oracle.nodes])
    nodes = [node for node in oracle.nodes if not node.is_attacker]
    joined = honest if events.joined is None else honest & events.joined
    if joined.any():
        params = flat_params(oracle, joined)
        distance = np.sum((params - params.mean(axis=0)) ** 2, axis=1).mean() / np.sum(params.mean(axis=0) ** 2)
        assert_close(row["consensus_distance"], distance)
        assert_close(row["norm_ratio"], mean_norm(oracle, joined=joined) / initial_norm)
    for layer in range(len(row["loss"])):
        losses = [node.losses[layer] for node in nodes if layer in node.losses]
        if joined.any():
            assert row["stepped"][layer] == pytest.approx(len(losses) / joined.sum())
        assert row["loss"][layer] == (pytest.approx(np.mean(losses), rel=1e-9) if losses else None)
    stale = [np.mean(list(node.staleness.values())) for node in nodes if node.staleness]
    assert row["staleness"] == (pytest.approx(np.mean(stale), rel=1e-9) if stale else None)
    for kind in KINDS:
        assert row["bytes_sent"][kind] == oracle.post.bytes_sent[kind]
        assert row["messages_in_flight"][kind] == oracle.num_waiting(kind)
        for outcome in OUTCOMES:
            assert row[f"messages_{outcome}"][kind] == oracle.post.counts[kind, outcome]


def test_every_kind_takes_part() -> None:
    assert {kind for name in (*ORDINARY, *COVERED) for kind in kinds(KNOWN[name])} >= {
        (name, kind) for name in AXES for kind in AXES[name]
    }
    assert AXES["availability"] == tuple(AVAILABILITIES)
    assert AXES["link"] == tuple(LINKS)
