"""Parts of a user's own that do not give what the engine needs are named before anything is computed."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import jdgnn
from jdgnn.learning import aggregation
from tests.support import small_emulator, small_network

anything: Any = jdgnn  # for arguments whose types are wrong on purpose
INFO_NCE, AVERAGE = jdgnn.info_nce(), jdgnn.merging.average()


class WithDropout(nnx.Module):
    def __init__(self, num_features: int, *, rngs: nnx.Rngs, param_dtype: Any) -> None:
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, own: jax.Array, aggregated: jax.Array) -> Any:
        return self.dropout(own)


def layer(**members: Any) -> dict[str, Any]:
    return {"layers": [jdgnn.gcn(4), jdgnn.gcn(4)._replace(**members)]}


def objective(**members: Any) -> dict[str, Any]:
    return {"objective": INFO_NCE._replace(**members)}


def merge(function: Any) -> dict[str, Any]:
    return {"gossip": jdgnn.gossip(merge=jdgnn.MergeRule(merge=function))}


def acceptance(probability: Any) -> dict[str, Any]:
    return {"gossip": jdgnn.gossip(capacity=2, acceptance=jdgnn.Acceptance(probability=probability))}


def nothing(*_: Any) -> tuple[()]:
    return ()


def wake_all(key: jax.Array, tick: jax.Array, num_nodes: int, memory: Any) -> Any:
    return memory, jnp.ones(num_nodes, bool)


def clock(init: Any = nothing, sample: Any = wake_all) -> dict[str, Any]:
    return {"availability": jdgnn.availability(jdgnn.Clock(init=init, sample=sample))}


def clock_mask(make: Any) -> dict[str, Any]:
    return clock(sample=lambda key, tick, num_nodes, memory: (memory, make(num_nodes)))


def stay(key: jax.Array, tick: jax.Array, num_nodes: int, memory: Any) -> Any:
    everybody = jnp.ones(num_nodes, bool)
    return memory, everybody, everybody


def presence(init: Any = nothing, sample: Any = stay, check: Any = None) -> dict[str, Any]:
    crash, own = jdgnn.presence.crash(0.1), jdgnn.presence.Presence(init=init, sample=sample, check=check)
    return {"availability": jdgnn.availability(presence=[crash, own])}


def per_node_count(key: jax.Array, num_nodes: int) -> jax.Array:
    return jnp.zeros(num_nodes, jnp.int32)


def count_from_zero() -> jax.Array:
    return jnp.int32(0)


def all_candidates(memory: Any, wakes: Any, num_merged: Any, uniforms: Any, num_candidates: int) -> jax.Array:
    return jnp.int32(num_candidates)


def keep(memory: Any, num_sent: Any) -> Any:
    return memory


def schedule(**members: Any) -> Any:
    functions: dict[str, Any] = {"init": nothing, "decide": all_candidates, "settle": keep}
    return jdgnn.Schedule(**(functions | members))


def lossy(sample: Any) -> jdgnn.Link:
    return jdgnn.link(drop=jdgnn.DropModel(sample=sample))


def late(sample: Any) -> jdgnn.Link:
    return jdgnn.link(delay=jdgnn.DelayModel(sample=sample, maximum=3))


def forgetful(init: Any, sample: Any = None) -> dict[str, Any]:
    """Pushes over links whose loss has a memory."""
    loss = jdgnn.DropModel(init=init, sample=sample or (lambda key, messages, memory: (memory, messages.dst > 3)))
    return {"push": jdgnn.push(link=jdgnn.link(drop=loss))}


def changing(init: Any, sample: Any) -> dict[str, Any]:
    return {"availability": jdgnn.availability(links=jdgnn.LinkPresence(init=init, sample=sample))}


def loss_of(value: Any) -> Any:
    return lambda params, encode, own, *_: value(own)


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "module with dropout": (
        {"layers": [jdgnn.from_nnx(WithDropout, aggregation.mean)]},
        "module: expected parameters only, got WithDropout with RngCount, RngKey",
    ),
    "layer gives a number": (
        layer(apply=lambda params, own, aggregated: own.sum()),
        "layers[1].apply: expected one vector float32[F'], got float32[]",
    ),
    "layer gives a pair": (
        layer(apply=lambda params, own, aggregated: (own, own)),
        "layers[1].apply: expected one vector",
    ),
    "layer gives integers": (
        layer(apply=lambda params, own, aggregated: own.astype(jnp.int32)),
        "layers[1].apply: expected one vector float32[F'], got int32[4]",
    ),
    "layer takes too little": (layer(apply=lambda params, own: own), "layers[1].apply: it fails with TypeError"),
    "layer has no parameter": (layer(init=lambda *_: {}), "layers[1].init: expected at least one parameter"),
    "aggregate of another width": (
        layer(aggregate=lambda own, *_: own[:, :2]),
        "layers[1].apply: it fails with TypeError",
    ),
    "loss is a vector": (
        objective(apply=loss_of(lambda own: (own, {}))),
        "objective[0].apply: expected float32[], got float32[5]",
    ),
    "loss is a whole number": (
        objective(apply=loss_of(lambda own: (jnp.int32(0), {}))),
        "objective[0].apply: expected float32[], got",
    ),
    "loss without aux": (
        objective(apply=loss_of(lambda own: own.sum())),
        "objective[0].apply: expected a pair (loss, dict of scalars), got",
    ),
    "aux is no scalar": (
        objective(apply=loss_of(lambda own: (own.sum(), {"own": own}))),
        "objective[0].apply: expected aux to be a dict of scalars, got {own: float32[5]}",
    ),
    "is_defined for each": (
        objective(is_defined=lambda pos, neg: pos),
        "objective[0].is_defined: expected bool[], got bool[3]",
    ),
    "merge without age": (merge(lambda params, *_: params), "merge: expected"),
    "merge with a float age": (
        merge(lambda params, age, theirs, their_age, _: (params, 0.5 * age.astype(jnp.float32))),
        "merge: expected",
    ),
    "merge fails": (merge(lambda params: params), "merge: it fails with TypeError"),
    "optimiser needs more": (
        {"optimizer": optax.contrib.reduce_on_plateau()},
        "optimizer.step: it fails with TypeError",
    ),
    "peers of another shape": (
        {"push": jdgnn.push(peers=jdgnn.PeerSampler(sample=lambda key, links, joined, slots: jnp.zeros(3, jnp.int32)))},
        "push.peers: expected sample to give one node number per node and slot, integers [12, 8], got int32[3]",
    ),
    "peers are several": (
        {"gossip": jdgnn.gossip(peers=anything.PeerSampler(sample=lambda key, *_: (key, key)))},
        "gossip.peers: expected sample to give one node number per node and slot, integers [12, 1], got (key<fry>[]",
    ),
    "peers fail": (
        {"push": jdgnn.push(peers=jdgnn.PeerSampler(sample=lambda key: key))},
        "push.peers: it fails with TypeError",
    ),
    "one probability for all": (
        acceptance(lambda sender, receiver: 0.5),
        "gossip.acceptance.probability: expected one float per model, [12, 2] for degrees [12, 2], got float32[]",
    ),
    "one probability per node": (
        acceptance(lambda sender, receiver: jnp.ones(12)),
        "gossip.acceptance.probability: expected one float per model, [12, 2] for degrees [12, 2], got float32[12]",
    ),
    "probabilities of inboxes, but not of one model": (
        acceptance(lambda sender, receiver: jnp.ones((12, 2))),
        "gossip.acceptance.probability: expected one float per model, [] for degrees [], got float32[12, 2]",
    ),
    "acceptance is yes or no": (
        acceptance(lambda sender, receiver: sender > receiver),
        "gossip.acceptance.probability: expected one float per model, [12, 2] for degrees [12, 2], got bool[12, 2]",
    ),
    "acceptance fails": (acceptance(lambda sender: sender), "gossip.acceptance.probability: it fails with TypeError"),
    "clock gives no pair": (
        clock(sample=lambda key, tick, num_nodes, memory: jnp.ones(num_nodes, bool)),
        "availability.clock.sample: expected ((), bool[12]), got bool[12]",
    ),
    "clock gives one mask for all": (
        clock_mask(lambda num_nodes: True),
        "availability.clock.sample: expected ((), bool[12]), got ((), bool[])",
    ),
    "clock gives probabilities": (
        clock_mask(jnp.ones),
        "availability.clock.sample: expected ((), bool[12]), got ((), float32[12])",
    ),
    "clock forgets": (
        clock(init=per_node_count, sample=lambda key, tick, num_nodes, memory: wake_all(key, tick, num_nodes, ())),
        "availability.clock.sample: expected (int32[12], bool[12]), got ((), bool[12])",
    ),
    "clock remembers other numbers": (
        clock(init=per_node_count, sample=lambda key, tick, num_nodes, memory: (jnp.sqrt(memory), memory > 0)),
        "availability.clock.sample: expected (int32[12], bool[12]), got (float32[12], bool[12])",
    ),
    "clock remembers one number for all": (
        clock(init=lambda key, num_nodes: {"period": jnp.int32(3)}),
        "availability.clock.init: expected a row per node, [12, ...], got {period: int32[]}",
    ),
    "clock remembers other nodes": (
        clock(init=lambda key, num_nodes: jnp.zeros((3, num_nodes))),
        "availability.clock.init: expected a row per node, [12, ...], got float32[3, 12]",
    ),
    "clock fails": (clock(init=lambda key: ()), "availability.clock.init: it fails with TypeError"),
    "presence gives a pair": (
        presence(sample=wake_all),
        "availability.presence[1].sample: expected ((), bool[12], bool[12]), got ((), bool[12])",
    ),
    "presence gives numbers": (
        presence(sample=lambda key, tick, num_nodes, memory: (memory, jnp.ones(num_nodes), jnp.ones(num_nodes, bool))),
        "availability.presence[1].sample: expected ((), bool[12], bool[12]), got ((), float32[12], bool[12])",
    ),
    "presence of other nodes": (
        presence(sample=lambda key, tick, num_nodes, memory: stay(key, tick, 3, memory)),
        "availability.presence[1].sample: expected ((), bool[12], bool[12]), got ((), bool[3], bool[3])",
    ),
    "presence forgets": (
        presence(init=per_node_count, sample=lambda key, tick, num_nodes, memory: stay(key, tick, num_nodes, ())),
        "availability.presence[1].sample: expected (int32[12], bool[12], bool[12]), got ((), bool[12], bool[12])",
    ),
    "presence remembers one number for all": (
        presence(init=lambda key, num_nodes: jnp.int32(3)),
        "availability.presence[1].init: expected a row per node, [12, ...], got int32[]",
    ),
    "presence cannot check": (
        presence(check=lambda: None),
        "availability.presence[1].check: it fails with TypeError",
    ),
    "schedule decides on a share": (
        {"push": jdgnn.push(schedule=schedule(decide=lambda *_: jnp.float32(0.5)))},
        "push.schedule.decide: expected int32[], got float32[]",
    ),
    "schedule decides for each candidate": (
        {"gossip": jdgnn.gossip(fanout=3, schedule=schedule(decide=lambda *given: jnp.arange(given[-1]) > 0))},
        "gossip.schedule.decide: expected int32[], got bool[3]",
    ),
    "schedule needs draws and does not say so": (
        {"push": jdgnn.push(schedule=schedule(decide=lambda memory, wakes, num_merged, uniforms, _: uniforms[0] < 1))},
        "push.schedule.decide: it fails with TypeError",
    ),
    "schedule takes too little": (
        {"publish": jdgnn.publish(schedule=schedule(decide=lambda memory: memory))},
        "publish.schedule.decide: it fails with TypeError",
    ),
    "schedule remembers other numbers": (
        {
            "gossip": jdgnn.gossip(
                schedule=schedule(init=count_from_zero, settle=lambda memory, num_sent: (memory, num_sent))
            )
        },
        "gossip.schedule.settle: expected int32[], got (int32[], int32[])",
    ),
    "schedule that remembers what is published": (
        {"publish": jdgnn.publish(schedule=schedule(init=count_from_zero))},
        "publish.schedule.init: expected (), got int32[], since nothing is remembered of what was published",
    ),
    "loss is a probability": (
        {"publish": jdgnn.publish(link=lossy(lambda key, messages: jnp.float32(0.5)))},
        "publish.link.drop: expected sample to give True or False per message, got float32[]",
    ),
    "loss of other messages": (
        {"gossip": jdgnn.gossip(link=lossy(lambda key, messages: jnp.ones(7, bool)))},
        "gossip.link.drop: expected sample to give True or False per message, got bool[7]",
    ),
    "loss is a pair": (
        {"push": jdgnn.push(link=lossy(lambda key, messages: (messages.src, messages.dst)))},
        "push.link.drop: expected sample to give True or False per message, got (int32[12, 8], int32[12, 8])",
    ),
    "loss that remembers one number for all": (
        forgetful(lambda key, links, num_slots: jnp.int32(num_slots)),
        "push.link.drop.init: expected a row per node, [12, ...], got int32[]",
    ),
    "loss that forgets": (
        forgetful(lambda key, links, num_slots: links.out_degree, lambda key, messages, memory: ((), messages.dst > 3)),
        "push.link.drop: expected sample to give a pair of the memory, int32[12], and True or False per message, got "
        "((), bool[12, 8])",
    ),
    "loss that remembers and does not take it": (
        forgetful(lambda key, links, num_slots: links.out_degree, lambda key, messages: messages.dst > 3),
        "push.link.drop: it fails with TypeError",
    ),
    "links remember nodes": (
        changing(lambda key, links: links.in_degree, lambda key, tick, links, memory: (memory, links.senders > 0)),
        "availability.links.init: expected a row per link, [",
    ),
    "links give a number": (
        changing(nothing, lambda key, tick, links, memory: (memory, jnp.ones(links.num_edges))),
        "availability.links.sample: expected ((), bool[",
    ),
    "delay in fractions": (
        {"push": jdgnn.push(link=late(lambda key, messages: jnp.ones(messages.dst.shape)))},
        "push.link.delay: expected sample to give one whole number of ticks per message, got float32[12, 8]",
    ),
    "delay fails": (
        {"gossip": jdgnn.gossip(link=late(lambda key: key))},
        "gossip.link.delay: it fails with TypeError",
    ),
    "measured loss where nothing was measured": (
        {"publish": jdgnn.publish(link=jdgnn.link(drop=jdgnn.links.measured(0.1)))},
        "publish.link.drop: measured needs a network with link quality, and this network has none",
    ),
    "measured loss of pushes where nothing was measured": (
        {"push": jdgnn.push(link=jdgnn.link(drop=jdgnn.links.measured(0.1)))},
        "push.link.drop: measured needs a network with link quality",
    ),
    "sides of a split for other nodes": (
        {"gossip": jdgnn.gossip(link=jdgnn.link(partition=jdgnn.links.partition(0, 5, groups=[0, 1])))},
        "gossip.link.partition: groups: expected one for each of 12 nodes, got 2",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_parts_are_named(name: str) -> None:
    changes, message = BROKEN[name]
    with pytest.raises(jdgnn.InputError, match=re.escape(message)):
        small_emulator(**changes).init(jax.random.key(0), small_network())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small_emulator(layers=[anything.Layer(init=1, apply=2, aggregate=3)]), "Layer.init: .*got 1"),
        (lambda: jdgnn.push(peers=anything.PeerSampler(sample=None)), "PeerSampler.sample: .*got None"),
        (lambda: jdgnn.gossip(merge=anything.MergeRule(merge="mean")), "MergeRule.merge: .*got 'mean'"),
        (lambda: anything.adam(1e-2, rate_schedule=0.5), "rate_schedule: .*got 0.5"),
        (lambda: anything.from_optax({}), "optimizer: .*got dict"),
        (lambda: anything.adam(10**400), "learning_rate: expected"),
        (lambda: jdgnn.gossip(acceptance=anything.Acceptance(0.5)), "Acceptance.probability: .*got 0.5"),
        (lambda: jdgnn.availability(anything.Clock(init=5)), "Clock.init: .*got 5"),
        (lambda: jdgnn.availability(presence=anything.presence.Presence(nothing, None)), "Presence.sample: .*got None"),
        (lambda: jdgnn.push(schedule=schedule(decide=3)), "schedule.decide: expected a function, got 3"),
        (lambda: jdgnn.gossip(schedule=schedule(init=None)), "schedule.init: expected a function, got None"),
        (lambda: jdgnn.publish(schedule=schedule(settle=())), r"schedule.settle: expected a function, got \(\)"),
        (lambda: jdgnn.push(schedule=schedule(min_wakes=0)), "schedule.min_wakes: .*got 0"),
        (lambda: jdgnn.push(schedule=schedule(is_random=1)), "schedule.is_random: expected True or False, got 1"),
        (lambda: jdgnn.publish(schedule=jdgnn.schedules.token_account()), "schedule: expected one that does not draw"),
    ],
)
def test_what_is_no_function_is_named(make: Any, message: str) -> None:
    with pytest.raises(jdgnn.InputError, match=message):
        make()


def test_nobody_and_oneself_get_no_message() -> None:
    def sample(key: jax.Array, links: Any, joined: jax.Array, num_slots: int) -> jax.Array:
        return jnp.broadcast_to(jnp.array([-1, 0, 99, 1]), (links.num_nodes, 4))

    network = small_network()
    emulator = small_emulator(push=jdgnn.push(fanout=4, capacity=20, peers=jdgnn.PeerSampler(sample=sample)))
    state, history = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 2)
    assert history.rows()[-1]["messages_sent"]["push"] == 2 * 2 * (network.num_nodes - 1)
    assert state.samples is not None
    assert state.samples.num_samples.tolist() == [11, 11] + [0] * 10


def test_a_rate_schedule_of_ones_own() -> None:
    network = small_network()
    emulator = small_emulator(optimizer=jdgnn.sgd(0.1, rate_schedule=lambda num_steps: 1.0 / (1.0 + num_steps)))
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 3)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state.params))


def test_a_schedule_of_ones_own_may_be_plain_functions() -> None:
    def decide(tokens: jax.Array, wakes: jax.Array, num_merged: Any, uniforms: Any, num_candidates: int) -> jax.Array:
        return jnp.where(wakes < 2, 1, 0)

    def settle(tokens: jax.Array, num_sent: jax.Array) -> jax.Array:
        return tokens - num_sent

    own = schedule(init=lambda: jnp.int32(9), decide=decide, settle=settle)
    network, forgetful = small_network(), schedule(decide=decide)
    emulator = small_emulator(
        publish=jdgnn.publish(schedule=forgetful),
        push=jdgnn.push(fanout=3, schedule=own),
        gossip=jdgnn.gossip(schedule=own),
    )
    state, history = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 4)
    sent = {"embedding": 2 * network.num_edges, "push": 2 * network.num_nodes, "model": 2 * network.num_nodes}
    assert history.rows()[-1]["messages_sent"] == sent
    assert set(state.push_schedule.tolist()) == set(state.model_schedule.tolist()) == {7}


def test_numbers_too_large_for_the_precision_are_refused() -> None:
    network = jdgnn.network.from_edges([0, 1], [1, 0], 1e39 * np.eye(2))
    with pytest.raises(jdgnn.InputError, match=r"features: columns 0, 1 reach 1e\+39 \(at node 0\), and float32 ends"):
        small_emulator().init(jax.random.key(0), network)


def test_divergence_is_said() -> None:
    network = small_network()
    emulator = small_emulator(layers=[jdgnn.gcn(4, normalize=False)], optimizer=jdgnn.sgd(1e30))
    with pytest.warns(UserWarning, match="the run has diverged by tick"):
        jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 8, record_every=1)


@pytest.mark.parametrize("length", [1e-30, 1e-10, 1.0, 1e10, 1e30])
def test_cosines_do_not_depend_on_length(length: float) -> None:
    key = jax.random.key(0)
    positives, negatives = jax.random.normal(key, (2, 3)), jax.random.normal(jax.random.key(1), (4, 3))
    masks = jnp.ones(2, bool), jnp.ones(4, bool)

    def loss(own: jax.Array, scale: float) -> Any:
        others = scale * positives, masks[0], scale * negatives, masks[1]
        return INFO_NCE.apply((), lambda own, _: own, own, own, *others, key)

    own = jnp.array([1.0, 2.0, -1.0])
    expected, scaled = loss(own, 1.0), loss(length * own, length)
    np.testing.assert_allclose(scaled[0], expected[0], rtol=1e-5)
    gradient = jax.grad(lambda own: loss(own, length)[0])(length * own)
    np.testing.assert_allclose(length * gradient, jax.grad(lambda own: loss(own, 1.0)[0])(own), rtol=1e-4, atol=1e-6)
