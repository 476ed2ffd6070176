"""What holds in every run: means, ages, staleness, accounts, the size of the state; and rates as asked for."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jdgnn
from jdgnn import clocks, links, presence, schedules
from jdgnn.emulation.metrics import QUANTILES
from jdgnn.emulation.spread import consensus_distance
from jdgnn.protocol.accounts import KINDS, OUTCOMES, whole
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.transport import ModelFlight
from tests.emulation.mixes import MIXES, NETWORK, NUM_NODES
from tests.emulation.stepping import steps
from tests.seldom import mostly_long
from tests.support import assert_accounts_add_up, assert_same_bits, small_emulator

HARSH = jdgnn.link(drop=0.2, delay=links.uniform(0, 4))
ABSENT = jdgnn.availability(clocks.bernoulli(0.6), presence.churn(6, 3))


def agreeing(gossip: jdgnn.Gossip, **changes: Any) -> jdgnn.Emulator:
    """Nodes that merge and do not train."""
    settings = {"layers": [jdgnn.gcn(4)], "push": None, "objective": jdgnn.edge_reconstruction(), "gossip": gossip}
    return small_emulator(**settings | changes)


@pytest.mark.parametrize("peers", ["permutation", "matching", "rotation"])
def test_averaging_keeps_the_mean_model(peers: str) -> None:
    """All awake, nothing lost, each node sent one model and given one: nodes agree on the mean of what they had."""
    sampler = getattr(jdgnn.peers, peers)()
    emulator = agreeing(jdgnn.gossip(peers=sampler, order="merge_only"), initial="independent")
    with jax.enable_x64():
        taken = list(steps(emulator, NETWORK, 40))
        mean = jax.tree.map(lambda leaf: leaf.mean(axis=0), taken[0].before.params)
        for step in taken:
            jax.tree.map(lambda leaf, m: assert_allclose(leaf.mean(axis=0), m, atol=1e-14), step.after.params, mean)
        distances = [float(consensus_distance(step.after.params)) for step in taken]
    assert distances[0] > 1
    assert distances[-1] < 1e-6


@pytest.mark.parametrize("merge", mostly_long(MERGES, ["adopt", "variance_corrected"]))
def test_merging_equal_models_changes_nothing_in_a_whole_run(merge: str) -> None:
    """However late and from whomever they come."""
    gossip = jdgnn.gossip(capacity=3, fanout=2, merge=MERGES[merge](), order="merge_only", link=HARSH)
    emulator = agreeing(gossip, availability=ABSENT)
    start = emulator.init(jax.random.key(0), NETWORK)
    end, _ = jdgnn.run(emulator, jdgnn.copy(start), NETWORK, 30)
    assert end.accounts.total("model", "delivered") > NUM_NODES
    assert_same_bits(end.params, start.params)
    assert end.age.tolist() == [0] * NUM_NODES


@pytest.mark.parametrize("name", mostly_long(["harsh", "asleep", "joining", "pairs"], ["harsh"]))
def test_ages_staleness_and_accounts_after_every_tick(name: str) -> None:
    """Ages fall only where models are adopted; nothing is staler than the run is old; no message gets out of sight."""
    emulator = MIXES[name].emulator()
    state, num_falls = emulator.init(jax.random.key(7), NETWORK), 0
    for tick in range(1, 41):
        before = np.asarray(state.age)
        state, history = jdgnn.run(emulator, state, NETWORK, 1)
        age = np.asarray(state.age)
        num_falls += (age < before).sum()
        assert age.min() >= 0
        assert age.max() <= tick
        youngest, oldest = history.quantiles["staleness"][0, [0, -1]]
        assert np.isnan(youngest) or 1 <= youngest <= history.staleness[0] <= oldest <= tick
        assert_accounts_add_up(state, NETWORK)
    assert (num_falls > 0) == (MIXES[name].merge == "adopt")


def test_in_a_harsh_run_messages_come_to_every_end_there_is() -> None:
    emulator = MIXES["harsh"].emulator()
    state, history = jdgnn.run(emulator, emulator.init(jax.random.key(7), NETWORK), NETWORK, 120)
    counts = dict(zip(KINDS, whole(state.accounts.words).sum(axis=0), strict=True))
    ends = {
        kind: {outcome for outcome, count in zip(OUTCOMES, row, strict=True) if count} for kind, row in counts.items()
    }
    everywhere = {"sent", "delivered", "dropped", "to_offline"}
    assert ends == {
        "embedding": everywhere | {"superseded"},
        "push": everywhere | {"evicted"},
        "model": everywhere | {"evicted", "rejected"},
    }
    assert_accounts_add_up(state, NETWORK)
    assert history.num_excess[-1].min() >= 0


BUFFERS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "nothing lost, late, asleep or away": ({}, {"samples", "pushes", "models"}),
    "no push": ({"push": None}, {"models"}),
    "no gossip": ({"gossip": None}, {"samples", "pushes"}),
    "embeddings are lost": (
        {"publish": jdgnn.publish(link=jdgnn.link(drop=0.1))},
        {"mailbox", "samples", "pushes", "models"},
    ),
    "embeddings are not always sent": (
        {"publish": jdgnn.publish(schedule=schedules.every(2))},
        {"mailbox", "samples", "pushes", "models"},
    ),
    "embeddings are late": (
        {"publish": jdgnn.publish(link=HARSH), "push": None},
        {"mailbox", "history", "models"},
    ),
    "pushes are lost": ({"push": jdgnn.push(link=jdgnn.link(drop=0.1))}, {"samples", "pushes", "models"}),
    "pushes are late": ({"push": jdgnn.push(link=HARSH)}, {"history", "samples", "pushes", "models"}),
    "models are lost": ({"gossip": jdgnn.gossip(link=jdgnn.link(drop=0.1))}, {"samples", "pushes", "models"}),
    "models are late": ({"gossip": jdgnn.gossip(link=HARSH)}, {"samples", "pushes", "pool"}),
    "models are passed on": (
        {"gossip": jdgnn.gossip(acceptance=jdgnn.acceptance.degree(), pass_through=True)},
        {"samples", "pushes", "pool", "kept"},
    ),
    "nodes sleep": ({"availability": jdgnn.availability(clocks.bernoulli(0.5))}, {"samples", "pushes", "pool"}),
    "nodes leave": (
        {"availability": jdgnn.availability(presence=presence.churn(5, 5))},
        {"mailbox", "samples", "pushes", "pool"},
    ),
}


@pytest.mark.parametrize("name", BUFFERS)
def test_what_a_mode_does_not_need_takes_no_memory(name: str) -> None:
    changes, expected = BUFFERS[name]
    state = small_emulator(**changes).shapes(NETWORK)
    held = {name for name in ("mailbox", "history", "samples", "pushes") if getattr(state, name) is not None}
    if isinstance(state.models, ModelFlight):
        held.add("models")
    elif state.models is not None:
        held |= {"pool"} if state.models.kept is None else {"pool", "kept"}
    assert held == expected


def on_links(link: jdgnn.Link, schedule: jdgnn.Schedule | None = None) -> jdgnn.Emulator:
    """A small emulator all of whose messages travel over the same kind of link."""
    return small_emulator(
        push=jdgnn.push(fanout=3, link=link),
        gossip=jdgnn.gossip(capacity=2, link=link, schedule=schedule),
        publish=jdgnn.publish(link=link),
    )


def num_bytes(emulator: jdgnn.Emulator) -> int:
    shapes: Any = emulator.shapes(NETWORK)
    return sum(int(np.prod(leaf.shape)) * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes))


def test_the_state_is_as_large_whatever_is_lost() -> None:
    sizes = {num_bytes(on_links(jdgnn.link(drop=loss, delay=3))) for loss in (None, 0.1, 0.9, links.measured(0.5))}
    assert len(sizes) == 1


@pytest.mark.parametrize("every", [1, 3])
def test_the_state_grows_with_the_longest_delay_as_predicted(every: int) -> None:
    """By the last embeddings of each node, one byte per edge and tick, pushes on their way, and places for models."""
    num_units, fanout, capacity = 4 + 3, 3, 2
    num_params = (5 * 4 + 4) + (2 * 4 * 3 + 3)

    def grown(delay: int) -> int:
        places = max(1 + delay // every, capacity + -(-delay // every))
        per_tick = NUM_NODES * num_units * 4 + NETWORK.num_edges + NUM_NODES * fanout * (4 + 4 + 1)
        return (delay + 1) * per_tick + NUM_NODES * places * (4 * num_params + 7 * 4 + 1)

    sizes = {d: num_bytes(on_links(jdgnn.link(drop=0.1, delay=d), schedules.every(every))) for d in (1, 2, 3, 10, 40)}
    for delay, size in sizes.items():
        assert size - sizes[1] == grown(delay) - grown(1)


def test_rates_are_those_asked_for() -> None:
    """Losses, wakes and presence of a run, within four standard errors."""
    prob, session, absence, num_ticks = 0.3, 12.0, 4.0, 150
    losses = {"embedding": 0.1, "push": 0.3, "model": 0.6}
    link = {kind: jdgnn.link(drop=loss, delay=links.uniform(0, 2)) for kind, loss in losses.items()}
    network = jdgnn.network.generators.k_regular(200, degree=4, num_features=4)
    emulator = small_emulator(
        layers=[jdgnn.gcn(2)],
        publish=jdgnn.publish(link=link["embedding"]),
        push=jdgnn.push(fanout=2, capacity=3, link=link["push"]),
        gossip=jdgnn.gossip(link=link["model"]),
        availability=jdgnn.availability(clocks.bernoulli(prob), presence.churn(session, absence)),
    )
    state, history = jdgnn.run(emulator, emulator.init(jax.random.key(2), network), network, num_ticks, record_every=1)
    for kind, loss in losses.items():
        sent, lost = (state.accounts.total(kind, outcome) for outcome in ("sent", "dropped"))
        assert abs(lost / sent - loss) < 4 * np.sqrt(loss * (1 - loss) / sent)
    num_online = history.online.sum() * network.num_nodes
    num_wakes = int(jnp.sum(state.wakes))
    assert history.active.sum() * network.num_nodes == pytest.approx(num_wakes)
    assert abs(num_wakes / num_online - prob) < 4 * np.sqrt(prob * (1 - prob) / num_online)
    share, memory = session / (session + absence), 1 - 1 / session - 1 / absence  # of a chain with two states
    spread = np.sqrt(share * (1 - share) / (network.num_nodes * num_ticks) * (1 + memory) / (1 - memory))
    assert abs(history.online.mean() - share) < 4 * spread
    assert state.accounts.total("push", "sent") == 2 * num_wakes
    assert state.accounts.total("model", "sent") == num_wakes
    assert state.accounts.total("embedding", "sent") == 4 * num_wakes
    assert list(history.quantiles["wakes"][-1, [0, QUANTILES.index(0.5), -1]]) == [
        np.quantile(state.wakes, level, method="nearest") for level in (0, 0.5, 1)
    ]
