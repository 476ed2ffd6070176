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


def loss_of(value: Any) -> Any:
    return lambda params, encode, own, *_: value(own)


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "module with dropout": (
        {"layers": [jdgnn.from_nnx(WithDropout, aggregation.mean)]},
        "WithDropout keeps RngCount, RngKey besides parameters",
    ),
    "layer gives a number": (
        layer(apply=lambda params, own, aggregated: own.sum()),
        "layers[1].apply: it gives float32[], and one vector float32[F'] is needed",
    ),
    "layer gives a pair": (layer(apply=lambda params, own, aggregated: (own, own)), "layers[1].apply: it gives"),
    "layer gives integers": (
        layer(apply=lambda params, own, aggregated: own.astype(jnp.int32)),
        "layers[1].apply: it gives int32[4]",
    ),
    "layer takes too little": (layer(apply=lambda params, own: own), "layers[1].apply: it fails with TypeError"),
    "layer has no parameter": (layer(init=lambda *_: {}), "layers[1].init: it gives no parameter"),
    "aggregate of another width": (
        layer(aggregate=lambda own, *_: own[:, :2]),
        "layers[1].apply: it fails with TypeError",
    ),
    "loss is a vector": (objective(apply=loss_of(lambda own: (own, {}))), "objective[0].apply: it gives float32[5]"),
    "loss is a whole number": (
        objective(apply=loss_of(lambda own: (jnp.int32(0), {}))),
        "objective[0].apply: it gives",
    ),
    "loss without aux": (
        objective(apply=loss_of(lambda own: own.sum())),
        "and a pair (loss, dict of scalars) is needed",
    ),
    "aux is no scalar": (
        objective(apply=loss_of(lambda own: (own.sum(), {"own": own}))),
        "objective[0].apply: aux gives {own: float32[5]}",
    ),
    "is_defined for each": (objective(is_defined=lambda pos, neg: pos), "objective[0].is_defined: it gives bool[3]"),
    "merge without age": (merge(lambda params, *_: params), "merge: it gives"),
    "merge with a float age": (
        merge(lambda params, age, theirs, their_age, _: (params, 0.5 * age.astype(jnp.float32))),
        "merge: it gives",
    ),
    "merge fails": (merge(lambda params: params), "merge: it fails with TypeError"),
    "optimiser needs more": (
        {"optimizer": optax.contrib.reduce_on_plateau()},
        "optimizer.step: it fails with TypeError",
    ),
    "peers of another shape": (
        {"push": jdgnn.push(peers=jdgnn.PeerSampler(sample=lambda key, links, joined, slots: jnp.zeros(3, jnp.int32)))},
        "peers: sample gives int32[3], and one node number per node and slot, integers [12, 8], is needed",
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
        (lambda: small_emulator(layers=[anything.Layer(init=1, apply=2, aggregate=3)]), "Layer.init: got 1"),
        (lambda: jdgnn.push(peers=anything.PeerSampler(sample=None)), "PeerSampler.sample: got None"),
        (lambda: jdgnn.gossip(merge=anything.MergeRule(merge="mean")), "MergeRule.merge: got 'mean'"),
        (lambda: anything.adam(1e-2, rate_schedule=0.5), "rate_schedule: got 0.5"),
        (lambda: anything.from_optax({}), "optimizer: got dict"),
        (lambda: anything.adam(10**400), "learning_rate: got"),
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


def test_numbers_too_large_for_the_precision_are_refused() -> None:
    network = jdgnn.network.from_edges([0, 1], [1, 0], 1e39 * np.eye(2))
    with pytest.raises(jdgnn.InputError, match="features: an entry is too large for float32"):
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
