"""What costs nothing changes nothing, and what nodes do together is what they would do apart, or as one."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jdgnn
from jdgnn import clocks, links, presence
from jdgnn.protocol.transport import ModelFlight, ModelPool
from tests.emulation.stepping import Step, in_double, steps
from tests.reference import twins
from tests.seldom import mostly_long
from tests.support import assert_same_bits, small_emulator, small_network

NETWORK = small_network()
NUM_NODES = NETWORK.num_nodes
COMPARED = ("params", "opt_state", "embeddings", "embedded_at", "samples", "age", "wakes", "num_steps", "accounts")
SEEN = ("loss", "stepped", "consensus_distance", "staleness", "messages", "messages_in_flight")
Settings = dict[str, Any]

Tables = list[np.ndarray]  # features [N, F0] and embeddings of each layer [N, F'], as far as there are any

NEVER_LOST = jdgnn.link(drop=links.bernoulli(0.0))
NEVER_LATE = jdgnn.link(delay=links.uniform(0, 0, maximum=3))
ALWAYS_AWAKE: Settings = {"availability": jdgnn.availability(clocks.bernoulli(1.0))}
ALL_UP = jdgnn.LinkPresence(
    init=lambda key, topology: (),
    sample=lambda key, tick, topology, memory: (memory, jnp.ones(topology.num_edges, bool)),
)
ALWAYS_UP: Settings = {"availability": jdgnn.availability(links=ALL_UP)}
ALWAYS_THERE: Settings = {"availability": jdgnn.availability(presence=presence.crash(0.0))}
UNIFORM: Settings = {"fanout": 2, "capacity": 2}
PAIRS: Settings = {"peers": jdgnn.peers.matching()}
CYCLE: Settings = {"peers": jdgnn.peers.permutation()}


def sgd_emulator(model: Settings, link: jdgnn.Link | None = None, **changes: Any) -> jdgnn.Emulator:
    """A small emulator with plain gradient descent, all of whose messages travel over the same kind of link."""
    settings: Settings = {
        "optimizer": jdgnn.sgd(0.1),
        "push": jdgnn.push(fanout=2, capacity=3, link=link),
        "gossip": jdgnn.gossip(**model, link=link),
        "backend": "plain" if model is UNIFORM else "cpu",  # with room for two models, they are for pools alone
        "publish": jdgnn.publish(link=link),
        "initial": "independent",
    }
    return small_emulator(**settings | changes)


def outcome(emulator: jdgnn.Emulator) -> tuple[jdgnn.State, jdgnn.History]:
    return jdgnn.run(emulator, emulator.init(jax.random.key(5), NETWORK), NETWORK, 25, record_every=5)


synchronous = cache(lambda name: outcome(sgd_emulator({"uniform": UNIFORM, "pairs": PAIRS, "cycle": CYCLE}[name])))

COSTLESS: dict[str, tuple[str, Callable[[], jdgnn.Emulator], bool]] = {
    "messages that are never lost": ("uniform", lambda: sgd_emulator(UNIFORM, NEVER_LOST), False),
    "messages that are never late": ("uniform", lambda: sgd_emulator(UNIFORM, NEVER_LATE), True),
    "nodes that never sleep": ("uniform", lambda: sgd_emulator(UNIFORM, **ALWAYS_AWAKE), True),
    "nodes that never leave": ("uniform", lambda: sgd_emulator(UNIFORM, **ALWAYS_THERE), True),
    "links that never go down": ("uniform", lambda: sgd_emulator(UNIFORM, **ALWAYS_UP), False),
    "a cycle that is never late": ("cycle", lambda: sgd_emulator(CYCLE, NEVER_LATE), True),
    "a cycle of nodes that never sleep": ("cycle", lambda: sgd_emulator(CYCLE, **ALWAYS_AWAKE), True),
    "pairs, never late, that never leave": ("pairs", lambda: sgd_emulator(PAIRS, NEVER_LATE, **ALWAYS_THERE), True),
}
OFTEN = ("pairs, never late, that never leave",)
ROUNDED = ("messages that are never late",)  # the compiler adds over edges with other roundings in this program


@pytest.mark.parametrize("name", mostly_long(COSTLESS, OFTEN))
def test_the_general_path_gives_the_bits_of_the_synchronous_one(name: str) -> None:
    base, make, has_pool = COSTLESS[name]
    (expected, expected_history), (state, history) = synchronous(base), outcome(make())
    assert isinstance(expected.models, ModelFlight)
    assert expected.mailbox is None
    assert isinstance(state.models, ModelPool if has_pool else ModelFlight)
    assert (state.mailbox is not None) == ("sleep" not in name)
    for field in COMPARED:
        if name in ROUNDED:
            jax.tree.map(
                partial(assert_allclose, rtol=1e-5, atol=1e-6), getattr(state, field), getattr(expected, field)
            )
        else:
            assert_same_bits(getattr(state, field), getattr(expected, field))
    for field in SEEN:  # measured by other programs, which need not round alike
        assert_allclose(getattr(history, field), getattr(expected_history, field), rtol=1e-6)


@pytest.mark.long
def test_computing_only_those_awake_changes_nothing() -> None:
    """Also where in some ticks more are awake than there is compact room for, which is counted."""
    half: Settings = {"availability": jdgnn.availability(clocks.bernoulli(0.5)), "optimizer": jdgnn.adam(1e-2)}
    with jax.enable_x64():
        network = in_double(NETWORK)

        def run(active_fraction: float | None) -> tuple[jdgnn.State, jdgnn.History]:
            emulator = sgd_emulator(UNIFORM, layers=[jdgnn.gcn(4)], **half, active_fraction=active_fraction)
            return jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 25, record_every=1)

        (full, _), (compact, history) = run(None), run(0.5)
        for field in COMPARED:
            for a, b in zip(
                jax.tree.leaves(getattr(compact, field)), jax.tree.leaves(getattr(full, field)), strict=True
            ):
                assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    is_crowded = np.round(history.active * NUM_NODES) > NUM_NODES // 2
    assert history.num_crowded.tolist() == np.cumsum(is_crowded).tolist()
    assert 0 < is_crowded.sum() < len(history)


class Learner:
    """One layer of one node, by the unbatched functions of its parts."""

    def __init__(self, kind: str, emulator: jdgnn.Emulator, index: int) -> None:
        self.kind, self.index = kind, index
        layer, objective = emulator.layers[index], emulator.objectives[index]

        def gradient(params: Any, own: Any, aggregated: Any, *compared: Any) -> Any:
            def loss(params: Any) -> Any:
                def encode(own: Any, aggregated: Any) -> Any:
                    return layer.apply(params["layer"], own, aggregated)

                value, _ = objective.apply(params["objective"], encode, own, aggregated, *compared)
                return value, encode(own, aggregated)

            gradient, embedding = jax.grad(loss, has_aux=True)(params)
            is_defined = objective.is_defined(compared[1], compared[3])
            return jax.tree.map(lambda leaf: jnp.where(is_defined, leaf, 0), gradient), embedding, is_defined

        self._gradient = jax.jit(gradient)

    def learn(self, params: Any, node: int, own: Any, before: Tables, step: Step) -> Any:
        """Gradient and embedding of one node, and whether it has anything to learn from.

        Args:
          params: of this layer at this node.
          node: its number.
          own: its own vector below this layer.
          before: features of all nodes, and their embeddings after the tick before; the latter may be missing.
          step: for what was drawn and pushed.
        """
        heard = in_neighbours(node) if self.index < len(before) else np.zeros(0, int)
        received = np.array([before[self.index][u] for u in heard]).reshape(-1, len(own))
        degrees = NETWORK.in_degree.astype(float)
        heard_of = received, np.ones(len(heard)), degrees[heard]
        aggregated = twins.AGGREGATES[self.kind](own, degrees[node], *heard_of, None)
        edges = np.asarray(step.events.positives[node])
        is_there = (edges < NETWORK.num_edges) & (self.index + 1 < len(before))
        positives = np.zeros((len(edges), step.after.embeddings[self.index].shape[1]))
        for row in np.flatnonzero(is_there):
            positives[row] = before[self.index + 1][NETWORK.senders[edges[row]]]
        samples: Any = np.zeros((0, positives.shape[1])), np.zeros(0, bool)
        if step.after.samples is not None:
            samples = step.after.samples.entries[self.index][node], step.after.samples.mask[node]
        key = jax.random.split(jax.random.fold_in(step.events.key, self.index), NETWORK.num_nodes)[node]
        return self._gradient(params, own, aggregated, positives, is_there, *samples, key)


def in_neighbours(node: int) -> np.ndarray:
    return NETWORK.senders[NETWORK.receivers == node]


def row(tree: Any, node: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[node], tree)


def test_without_gossip_every_node_learns_alone() -> None:
    """N separate loops, fed what their neighbours had a tick ago, end where the emulator does."""
    emulator = small_emulator(gossip=None, optimizer=jdgnn.sgd(0.1), initial="independent")
    learners = [Learner(kind, emulator, index) for index, kind in enumerate(("gcn", "sage"))]
    optimizer: Any = emulator.optimizer
    with jax.enable_x64():
        before: Tables = [in_double(NETWORK).features]
        params: list[list[Any]] = []
        num_steps = np.zeros((NUM_NODES, 2), int)
        for step in steps(emulator, NETWORK, 6):
            params = params or [[row(layer, node) for layer in step.before.params] for node in range(NUM_NODES)]
            after: Tables = [before[0], *(np.zeros(layer.shape) for layer in step.after.embeddings)]
            for node in range(NUM_NODES):
                for index, learner in enumerate(learners):
                    mine = params[node][index]
                    gradient, h, is_stepped = learner.learn(mine, node, after[index][node], before, step)
                    params[node][index], _ = optimizer.step(gradient, optimizer.init(mine), mine, 0)
                    after[index + 1][node] = h
                    num_steps[node, index] += bool(is_stepped)
            before = after
        for index in range(2):
            assert_allclose(step.after.embeddings[index], before[index + 1], rtol=1e-11, atol=1e-12)
            stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *(mine[index] for mine in params))
            jax.tree.map(lambda a, b: assert_allclose(a, b, rtol=1e-11, atol=1e-12), step.after.params[index], stacked)
    assert step.after.num_steps.tolist() == num_steps.tolist()
    assert num_steps.sum() > 6 * NUM_NODES


def test_all_to_all_is_one_model_trained_on_the_mean_gradient() -> None:
    """What nodes hold at the end of a tick differs by their own last step; its mean is the shared model."""
    gossip = jdgnn.gossip(
        capacity=NUM_NODES - 1, fanout=NUM_NODES - 1, peers=jdgnn.peers.all_to_all(), merge=jdgnn.merging.uniform_mean()
    )
    emulator = small_emulator(objective=jdgnn.edge_reconstruction(), optimizer=jdgnn.sgd(0.5), push=None, gossip=gossip)
    learners = [Learner(kind, emulator, index) for index, kind in enumerate(("gcn", "sage"))]
    optimizer: Any = emulator.optimizer
    with jax.enable_x64():
        before: Tables = [in_double(NETWORK).features]
        shared: list[Any] = []
        for step in steps(emulator, NETWORK, 6):
            shared = shared or [row(layer, 0) for layer in step.before.params]
            after: Tables = [before[0]]
            for index, learner in enumerate(learners):
                learned = [learner.learn(shared[index], v, after[index][v], before, step) for v in range(NUM_NODES)]
                mean = jax.tree.map(lambda *leaves: sum(leaves) / NUM_NODES, *(entry[0] for entry in learned))
                after.append(np.stack([entry[1] for entry in learned]))
                assert_allclose(step.after.embeddings[index], after[-1], rtol=1e-11, atol=1e-12)
                shared[index], _ = optimizer.step(mean, optimizer.init(shared[index]), shared[index], 0)
                held = jax.tree.map(lambda leaf: leaf.mean(axis=0), step.after.params[index])
                jax.tree.map(lambda a, b: assert_allclose(a, b, rtol=1e-11, atol=1e-12), held, shared[index])
            before = after
        assert float(jdgnn.consensus_distance(step.after.params)) > 1e-6
    assert step.after.accounts.total("model", "delivered") == 5 * NUM_NODES * (NUM_NODES - 1)
