"""Merge rules that see the whole inbox: what each keeps, against its twin and against the paper."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jdgnn
from jdgnn.emulation.run import remarks
from jdgnn.errors import InputError
from jdgnn.network import from_edges
from jdgnn.parts import as_argument
from jdgnn.protocol.accounts import whole
from jdgnn.protocol.merging import MERGES, Model, Received, krum, push_sum, trimmed_mean
from jdgnn.protocol.transport import ModelPool
from tests.reference import parts
from tests.support import assert_same_bits, small_emulator, small_network

RULES = {name: make() for name, make in MERGES.items() if make().merge_all is not None}
CAPACITY = 5

merge_compiled = jax.jit(lambda rule, own, received: rule.merge_all(own, received))


def models(seed: int, mask: Any = (True,) * CAPACITY, *, has_weight: bool = False) -> tuple[Model, Received]:
    """A node's model, and those of its inbox."""
    rng = np.random.default_rng(seed)
    rows = {"kernel": rng.normal(size=(1 + CAPACITY, 3, 2)), "bias": rng.normal(size=(1 + CAPACITY, 2))}
    ages, weights = jnp.asarray(rng.integers(0, 9, 1 + CAPACITY), jnp.int32), jnp.asarray(rng.random(1 + CAPACITY))
    own, there = (jax.tree.map(lambda leaf, part=part: jnp.asarray(leaf[part]), rows) for part in (0, slice(1, None)))
    received = Received(there, ages[1:], jnp.asarray(mask), jnp.ones(CAPACITY, jnp.int32))
    if not has_weight:
        return Model(own, ages[0]), received
    return Model(own, ages[0], weights[0]), received._replace(weight=weights[1:])


def merge(name: str, own: Model, received: Received) -> Model:
    merged: Model = merge_compiled(as_argument(RULES[name]), own, received)
    return merged


@pytest.mark.parametrize("mask", [(True,) * 5, (True, False, True, True, False), (False, False, False, True, False)])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.usefixtures("in_double")
def test_each_does_as_its_twin_and_sees_nothing_that_is_not_there(name: str, mask: tuple[bool, ...]) -> None:
    own, received = models(3, mask, has_weight=name == "push_sum")
    expected = parts.merge_rule(name).merge_all(own, received)  # type: ignore[misc]
    absent = jax.tree.map(lambda leaf: leaf.at[~received.mask].set(jnp.nan), received.params)
    found = merge(name, own, received._replace(params=absent))
    jax.tree.map(lambda a, b: assert_allclose(a, b, rtol=1e-12, atol=1e-12), found, expected)


@pytest.mark.parametrize("name", RULES)
def test_equal_models_are_left_as_they_are_bit_for_bit(name: str) -> None:
    own, received = models(0, has_weight=name == "push_sum")
    same = jax.tree.map(lambda leaf: jnp.stack([leaf] * CAPACITY), own.params)
    assert_same_bits(merge(name, own, received._replace(params=same)).params, own.params)


@pytest.mark.usefixtures("in_double")
def test_trimming_nothing_takes_the_mean_and_trimming_all_the_median() -> None:
    own, received = models(1)
    everything = jax.tree.map(lambda one, rows: np.concatenate([one[None], rows]), own.params, received.params)
    for count, statistic in ((0, np.mean), (9, np.median)):
        merged = as_argument(trimmed_mean(count)).merge_all(own, received)  # type: ignore[misc]
        jax.tree.map(lambda a, b, f=statistic: assert_allclose(a, f(b, axis=0), rtol=1e-12), merged.params, everything)


def test_numbers_that_were_not_carried_do_not_count() -> None:
    own, received = models(1)
    carried = jax.tree.map(lambda leaf: jnp.zeros_like(leaf, bool).at[:2].set(True), received.params)
    partly = merge("trimmed_mean", own, received._replace(carried=carried))
    two = received._replace(mask=jnp.arange(CAPACITY) < 2)
    assert_same_bits(partly.params, merge("trimmed_mean", own, two).params)


def test_krum_gives_one_of_the_models_and_that_of_the_crowd() -> None:
    own, received = models(2)
    merged = merge("krum", own, received)
    rows = [jax.tree.map(lambda leaf, i=i: leaf[i], received.params) for i in range(CAPACITY)]
    flat = [np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(one)]) for one in (merged.params, *rows)]
    assert any((flat[0] == other).all() for other in flat[1:])
    crowd = jnp.array([1.0, 1.1, 1.2, 50.0, jnp.nan])
    for number in (0, 1):
        received = Received(crowd, jnp.zeros(5, jnp.int32), jnp.ones(5, bool), jnp.ones(5, jnp.int32))
        merged = krum(2, 1 + number).merge_all(Model(jnp.float32(40), jnp.int32(0)), received)  # type: ignore[misc]
        assert 1 <= float(merged.params) <= 1.2


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_one_wild_model_cannot_lead_anybody_away(bad: float) -> None:
    own, received = models(4)
    wild = received._replace(params=jax.tree.map(lambda leaf: leaf.at[2].set(bad), received.params))
    for name in ("krum", "trimmed_mean"):
        for leaf in jax.tree.leaves(merge(name, own, wild).params):
            assert (np.abs(leaf) < 10).all()


def test_an_extreme_of_its_own_leads_no_node_away() -> None:
    for own in (1e8, jnp.nan, -jnp.inf, jnp.inf):
        received = Received(jnp.array([1.0, 2.0]), jnp.zeros(2, jnp.int32), jnp.ones(2, bool), jnp.ones(2, jnp.int32))
        merged = trimmed_mean(1).merge_all(Model(jnp.float32(own), jnp.int32(0)), received)  # type: ignore[misc]
        assert float(merged.params) == 2


def test_weights_that_are_gone_count_alike() -> None:
    nothing = jnp.zeros(2)
    received = Received(jnp.array([3.0, 6.0]), jnp.zeros(2, jnp.int32), jnp.ones(2, bool), jnp.ones(2, jnp.int32))
    own = Model(jnp.float32(0), jnp.int32(0), nothing[0])
    merged = push_sum().merge_all(own, received._replace(weight=nothing))  # type: ignore[misc]
    assert float(merged.params) == 3


def test_what_cannot_work_is_rejected_or_remarked() -> None:
    network, part = small_network(), jdgnn.content.top_k(0.5)
    rejected = small_emulator(gossip=jdgnn.gossip(capacity=2, merge=push_sum(), content=part))
    with pytest.raises(InputError, match=r"gossip\.content: expected one that carries all numbers, since gossip.merge"):
        rejected.init(jax.random.key(0), network)
    moments = small_emulator(gossip=jdgnn.gossip(content=part), optimizer=jdgnn.adam(1e-2, merged=True))
    with pytest.raises(InputError, match=r"gossip\.content: expected one that carries all numbers, since the opt"):
        moments.init(jax.random.key(0), network)
    for merge, text in ((krum(), "it can leave none out"), (push_sum(), "takes its weight along")):
        (remark,) = remarks(small_emulator(gossip=jdgnn.gossip(merge=merge)), 3)
        assert text in remark
    assert remarks(small_emulator(gossip=jdgnn.gossip(merge=krum(), capacity=2)), 3) == []


@pytest.mark.usefixtures("in_double")
def test_push_sum_keeps_the_mean_of_a_lopsided_network_where_averages_drift() -> None:
    """Weights times models add up, those of messages on their way included."""
    network = from_edges([1, 2, 3, 0, 0], [0, 0, 0, 1, 2], np.eye(4))
    gossip = jdgnn.gossip(capacity=4, peers=jdgnn.peers.graph_neighbours(), order="merge_only", merge=push_sum())
    late = gossip.replace(link=jdgnn.link(delay=2))  # type: ignore[attr-defined]
    for setting in (gossip, late):
        emulator = small_emulator(gossip=setting, initial="independent")
        state = emulator.init(jax.random.key(0), network)
        before = mass(state)
        assert_allclose(before[0], 4)
        state, _ = jdgnn.run(emulator, state, network, 12)
        assert whole(state.accounts.words)[:, 2, 3:].sum() == 0  # nothing was dropped, rejected or evicted
        assert_allclose(mass(state), before, rtol=1e-12, atol=1e-12)


def mass(state: jdgnn.State) -> Any:
    """Sums over nodes, and models on their way, of weights, and of weights times parameters."""
    weight, params, models = np.asarray(state.weight), state.params, state.models
    if isinstance(models, ModelPool):
        assert models.weight is not None
        held = [(weight, params), (np.where(models.is_free, 0, models.weight), models.params)]
    else:  # what is on its way is what its sender holds
        assert models is not None
        held = [(weight * (1 + np.asarray(models.is_sent).sum(axis=1)), params)]
    sums = [[np.ravel(np.tensordot(weights, leaf, 1)) for leaf in jax.tree.leaves(tree)] for weights, tree in held]
    return np.concatenate([[sum(weights.sum() for weights, _ in held)], np.sum([*map(np.concatenate, sums)], axis=0)])
