"""The debug back end: the same run node by node, from anywhere to anywhere, and what it says of numbers gone astray."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jdgnn
from jdgnn.errors import InputError, NonFiniteError
from jdgnn.network.network import Network, from_edges
from jdgnn.protocol import rings
from jdgnn.protocol.transport import ModelPool
from jdgnn.reference import Node, debug_run
from tests.emulation.cases import Case
from tests.seldom import mostly_long
from tests.support import assert_same_bits, small_emulator, small_network

FIRST, SECOND, AFTER = 5, 3, 7
SLEEPY = 3  # so many times as many ticks, where nodes are seldom awake
CASES = {
    "nothing is buffered": Case(("gcn",), inbox_capacity=1, acceptance=1),
    "pairs": Case(
        ("gcn",),
        peers="matching",
        fanout=1,
        link="bernoulli",
        acceptance=1,
        merge="variance_corrected",
        model_schedule=1,
    ),
    "asleep without mailboxes": Case(("gcn",), availability="bernoulli"),
    "tight pool": Case(
        availability="bernoulli", link="uniform", fanout=3, pool=1.0, acceptance=2, inbox_capacity=3, merge="adopt"
    ),
    "tokens": Case(
        ("sage",),
        order="train_then_merge",
        availability="on_receipt",
        fanout=3,
        model_schedule=2,
        push_schedule=2,
        publish_schedule=1,
        merge="age_weighted",
        inbox_capacity=3,
        active_fraction=0.2,
    ),
    "agreeing": Case(
        ("gcn",),
        order="merge_only",
        merge="uniform_mean",
        availability="trace",
        link="partition",
        initial="independent",
    ),
    "attentive": Case(
        ("gcn",),
        "edge_reconstruction",
        has_push=False,
        has_gossip=False,
        availability="late_joining",
        link="measured",
        optimizer="adam",
    ),
}
NUMBERS = ("params", "opt_state", "embeddings", "samples", "initial_norm")
COUNTS = (
    "tick",
    "key",
    "availability",
    "embedded_at",
    "age",
    "wakes",
    "num_steps",
    "attendance",
    "num_idle",
    "push_schedule",
    "model_schedule",
    "num_excess",
    "num_unplaced",
    "num_crowded",
    "accounts",
)


@pytest.fixture
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def directed() -> Network:
    """Six nodes, one of them isolated, with links of measured quality."""
    rng = np.random.default_rng(3)
    senders, receivers = [0, 1, 1, 2, 3, 3, 4, 0, 2], [1, 0, 2, 1, 2, 0, 3, 4, 4]
    return from_edges(senders, receivers, rng.normal(size=(6, 3)), link_quality=rng.random(9))


def run_compiled(emulator: jdgnn.Emulator, state: jdgnn.State, network: Network, ticks: int) -> jdgnn.State:
    return jdgnn.run(emulator, jdgnn.copy(state), network, ticks)[0]


def assert_same_state(actual: jdgnn.State, expected: jdgnn.State) -> None:
    """All that is held, slot by slot, and how much is on its way."""
    for name in COUNTS:
        assert_same_bits(getattr(actual, name), getattr(expected, name))
    for name in NUMBERS:
        assert_close(getattr(actual, name), getattr(expected, name))
    shapes = [jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), state) for state in (actual, expected)]
    assert shapes[0] == shapes[1]
    if isinstance(expected.models, ModelPool):
        assert_close(meaning(actual.models), meaning(expected.models))
    if expected.mailbox is not None and actual.mailbox is not None:
        assert_close(
            (actual.mailbox.entries, actual.mailbox.version), (expected.mailbox.entries, expected.mailbox.version)
        )
        assert_array_equal(
            rings.num_in_flight(actual.mailbox.delays, actual.tick),
            rings.num_in_flight(expected.mailbox.delays, expected.tick),
        )
    if expected.pushes is not None and actual.pushes is not None:
        assert_array_equal(
            rings.num_in_flight(actual.pushes.delay, actual.tick),
            rings.num_in_flight(expected.pushes.delay, expected.tick),
        )


def assert_close(actual: Any, expected: Any) -> None:
    jax.tree.map(lambda a, e: assert_allclose(a, e, rtol=1e-9, atol=1e-9), actual, expected)


def meaning(pool: Any) -> dict[str, Any]:
    """Which models are where, whatever their places."""
    places = jax.tree.map(np.asarray, pool)
    content = (places.params, places.age, places.src)
    by_way = (places.slot, places.tick_sent, places.tick_due, places.dst)
    order = np.lexsort(by_way)
    flying = order[(~places.is_free & (places.dst < len(places.inbox)))[order]]
    held = {"inbox": places.inbox} | ({} if places.kept is None else {"kept": places.kept})
    known = {name: index[index < pool.num_places] for name, index in held.items()} | {"flying": flying}
    return {
        "num_taken": np.sum(~places.is_free),
        "is_there": {name: index < pool.num_places for name, index in held.items()},
        "content": {name: rows(content, index) for name, index in known.items()},
        "addresses": [(*field[flying],) for field in (*by_way, places.rank)],
    }


def attentive(layer: jdgnn.Layer) -> jdgnn.Layer:
    """A layer with parameters inside the aggregation."""

    def weigh(own: Any, received: Any, mask: Any, topology: Any, query: Any) -> Any:
        weights = jnp.where(mask, jnp.sum(query[topology.receivers] * received, axis=1), 0)
        return own + jax.ops.segment_sum(weights[:, None] * received, topology.receivers, topology.num_nodes)

    return layer._replace(aggregate=weigh, query=lambda params, own: own * jnp.sum(params["linear"]["kernel"], axis=1))


def rows(tree: Any, index: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf[index], tree)


@pytest.mark.usefixtures("_double_precision")
@pytest.mark.parametrize("name", mostly_long(CASES, ["tight pool"]))
def test_it_is_the_same_run(name: str) -> None:
    network, emulator = directed(), CASES[name].emulator()
    first, second = (SLEEPY * FIRST, SLEEPY * SECOND) if name == "tokens" else (FIRST, SECOND)
    if name == "attentive":
        emulator = replace(emulator, layers=[attentive(emulator.layers[0])])
    start = emulator.init(jax.random.key(5), network)
    middle = run_compiled(emulator, start, network, first)
    end = run_compiled(emulator, middle, network, second)
    from_start, wakes = debug_run(emulator, start, network, first)
    assert_same_state(from_start, middle)
    assert len(wakes) == int(np.sum(middle.wakes))
    from_middle, _ = debug_run(emulator, middle, network, second)
    assert_same_state(from_middle, end)
    # what is on its way was understood, and told, if it arrives as it would have
    after = run_compiled(emulator, end, network, AFTER)
    assert_same_state(run_compiled(emulator, from_middle, network, AFTER), after)


def growing(**changes: Any) -> jdgnn.Emulator:
    """Two layers that let numbers grow."""
    settings: dict[str, Any] = {
        "layers": [jdgnn.sage(3, normalize=False), jdgnn.gcn(2, normalize=False)],
        "objective": jdgnn.edge_reconstruction(),
        "optimizer": jdgnn.sgd(1e-2),
        "push": jdgnn.push(fanout=2, capacity=3),
        "gossip": jdgnn.gossip(peers=jdgnn.peers.rotation()),
    }
    return small_emulator(**(settings | changes))


def late() -> jdgnn.Emulator:
    """Nobody trains, and models are late."""
    gossip = jdgnn.gossip(peers=jdgnn.peers.rotation(), link=jdgnn.link(delay=2), order="merge_only")
    return growing(layers=[jdgnn.gcn(2, normalize=False), jdgnn.sage(3, normalize=False)], gossip=gossip)


NETWORK = small_network(5)


def after(emulator: jdgnn.Emulator, ticks: int) -> Any:
    return run_compiled(emulator, emulator.init(jax.random.key(0), NETWORK), NETWORK, ticks)


def caught(emulator: jdgnn.Emulator, state: jdgnn.State, network: Network = NETWORK, **options: Any) -> NonFiniteError:
    with pytest.raises(NonFiniteError) as raised:
        debug_run(emulator, state, network, 5, **options)
    return raised.value


def ruin(tree: Any, row: Any, number: float = np.nan) -> Any:
    return jax.tree.map(lambda leaf: leaf.at[row].set(number), tree)


@pytest.mark.long
def test_recorded_events_are_replayed(tmp_path: Path) -> None:
    emulator, path = growing(), tmp_path / "events"
    start = emulator.init(jax.random.key(0), NETWORK)
    jdgnn.run(emulator, jdgnn.copy(start), NETWORK, 2, record=path)
    replayed, _ = debug_run(emulator, replace(start, key=jax.random.key(1)), NETWORK, 2, replay=path)
    drawn, _ = debug_run(emulator, start, NETWORK, 2)
    assert_same_bits(replayed.params, drawn.params)


def test_a_learning_rate_too_high_is_found_in_the_tick_in_which_losses_diverge() -> None:
    emulator = growing(optimizer=jdgnn.sgd(1e30))
    start = emulator.init(jax.random.key(0), NETWORK)
    with pytest.warns(UserWarning, match="diverged"):
        _, history = jdgnn.run(emulator, jdgnn.copy(start), NETWORK, 5, record_every=1)
    error = caught(emulator, start)
    has_no_loss = ~np.isfinite(history.loss).all(axis=1) & (history.stepped > 0).all(axis=1)
    assert error.tick + 1 == history.tick[has_no_loss][0]
    assert f"tick {error.tick}, node {error.node}, layer {error.layer}: the {error.stage} is not finite" in str(error)
    assert "(largest input " in str(error)
    assert "e+" in str(error)
    assert f"; it had just merged the model of node {error.message.src} sent in tick {error.tick - 1}" in str(error)


def test_a_model_on_its_way_is_found_where_it_arrives() -> None:
    emulator = growing()
    state = after(emulator, 2)
    error = caught(emulator, replace(state, params=(state.params[0], ruin(state.params[1], 3))))
    receiver = int(state.models.dst[3, 0])
    assert (error.tick, error.node, error.layer, error.stage) == (2, receiver, 1, "received model")
    assert error.message.src == 3
    assert str(error) == (
        f"tick 2, node {receiver}, layer 1: the received model is not finite: the model of node 3 sent in tick 1"
    )


def test_a_late_model_is_found_in_the_tick_of_its_arrival() -> None:
    emulator = late()
    state: Any = debug_run(emulator, emulator.init(jax.random.key(0), NETWORK), NETWORK, 2)[0]
    models = state.models
    (place,) = np.flatnonzero((models.src == 4) & (models.tick_sent == 1) & ~models.is_free)
    ruined = replace(state, models=replace(models, params=ruin(models.params, place)))
    error = caught(emulator, ruined)
    assert (error.tick, error.node, error.layer, error.stage) == (4, int(models.dst[place]), 0, "received model")
    assert (error.message.src, error.message.tick_sent) == (4, 1)


def test_an_embedding_on_its_way_is_found_where_it_arrives() -> None:
    emulator = growing()
    state = after(emulator, 2)
    pushed_to = np.asarray(state.pushes.dst)[2].ravel()
    neighbours = NETWORK.receivers[NETWORK.senders == 2]
    error = caught(emulator, replace(state, embeddings=(state.embeddings[0], ruin(state.embeddings[1], 2, np.inf))))
    assert (error.tick, error.layer, error.message.src) == (2, 1, 2)
    assert error.node == min(*pushed_to, *neighbours)
    assert error.stage == ("received embedding" if error.node in neighbours else "received push")


def test_a_sample_is_found_when_it_is_used() -> None:
    emulator = growing()
    state = after(emulator, 4)
    samples = replace(state.samples, entries=ruin(state.samples.entries, (1, slice(None))))
    nothing_sent = emulator.init(state.key, NETWORK).pushes
    error = caught(emulator, replace(state, samples=samples, pushes=nothing_sent))
    assert (error.tick, error.node, error.layer, error.stage) == (4, 1, 0, "sample")
    assert str(error).endswith("the sample is not finite: a push from before this debug run")


def test_models_too_large_to_be_added_are_found_at_merging() -> None:
    def add(params: Any, age: Any, received: Any, *_: Any) -> Any:
        return jax.tree.map(jnp.add, params, received), age

    emulator = growing(gossip=jdgnn.gossip(peers=jdgnn.peers.rotation(), merge=jdgnn.MergeRule(merge=add)))
    state = after(emulator, 1)
    error = caught(emulator, replace(state, params=ruin(state.params, slice(None), 3e38)))
    dst = np.asarray(state.models.dst)[:, 0]
    assert (error.tick, error.node, error.layer, error.stage) == (1, 0, 0, "merged model")
    assert dst[error.message.src] == 0
    assert str(error).endswith(f"; it had just merged the model of node {error.message.src} sent in tick 0")


def test_features_too_large_to_be_added_are_found_at_the_aggregate() -> None:
    emulator, huge = growing(), np.full_like(NETWORK.features, 3e38)
    first = int(np.flatnonzero(NETWORK.in_degree > 1)[0])
    state = emulator.init(jax.random.key(0), NETWORK)
    error = caught(emulator, state, replace(NETWORK, features=huge))
    assert (error.tick, error.node, error.layer, error.stage) == (0, first, 0, "aggregated vector")
    assert str(error) == f"tick 0, node {first}, layer 0: the aggregated vector is not finite (largest input 3e+38)"


def test_an_embedding_too_large_to_be_added_is_named_where_it_is_summed() -> None:
    emulator = late()
    state: Any = debug_run(emulator, emulator.init(jax.random.key(0), NETWORK), NETWORK, 1)[0]
    held = (jnp.full_like(state.embeddings[0], 2e38).at[1].set(3e38), state.embeddings[1])
    error = caught(emulator, replace(state, embeddings=held))
    assert (error.tick, error.layer, error.stage) == (1, 1, "aggregated vector")
    assert error.message.src in NETWORK.senders[NETWORK.receivers == error.node]
    assert str(error).endswith(f"; its largest part is the embedding of node {error.message.src} sent in tick 0")


def test_a_gradient_is_found_before_the_step() -> None:
    def root(params: Any, encode: Any, own: Any, aggregated: Any, *_: Any) -> Any:
        return jnp.sqrt(jnp.sum(0 * encode(own, aggregated))), {}

    emulator = growing(objective=jdgnn.edge_reconstruction()._replace(apply=root))
    error = caught(emulator, emulator.init(jax.random.key(0), NETWORK))
    assert (error.tick, error.stage) == (1, "gradient of the loss")


def test_one_can_look_and_change_after_each_tick() -> None:
    emulator, seen = growing(), []

    def look(nodes: list[Node], tick: int) -> None:
        seen.append((tick, [node.age for node in nodes]))
        if tick == 1:
            nodes[2].params = ruin(nodes[2].params, 0)

    error = caught(emulator, emulator.init(jax.random.key(0), NETWORK), on_tick=look)
    assert [tick for tick, _ in seen] == [0, 1]
    assert max(seen[1][1]) == 1
    assert (error.tick, error.node, error.stage, error.message) == (2, 2, "own model", None)


def test_bad_input_is_refused() -> None:
    emulator = growing()
    state = emulator.init(jax.random.key(0), NETWORK)
    with pytest.raises(InputError, match=r"on_tick: .*got 3"):
        debug_run(emulator, state, NETWORK, 1, on_tick=3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="ticks"):
        debug_run(emulator, state, NETWORK, 0)
    with pytest.raises(InputError, match="network"):
        debug_run(emulator, state, small_network(7), 1)
