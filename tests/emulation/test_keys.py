"""Keys that parts keep: every node, and every layer, draws numbers of its own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jdgnn
from tests.support import assert_same_bits, leaves, small_emulator, small_network

NETWORK = small_network(8)
NUM_TICKS = 4
NOISE = optax.chain(optax.add_noise(1e6, 0.0, jax.random.key(0)), optax.sgd(1.0))  # beside which gradients are nothing
EMULATOR = small_emulator(layers=[jdgnn.gcn(5), jdgnn.gcn(5)], optimizer=NOISE, gossip=None)


@pytest.fixture(scope="module")
def start() -> jdgnn.State:
    return EMULATOR.init(jax.random.key(3), NETWORK)


@pytest.fixture(scope="module")
def end(start: jdgnn.State) -> jdgnn.State:
    return jdgnn.run(EMULATOR, jdgnn.copy(start), NETWORK, NUM_TICKS)[0]


def largest_correlation(draws: np.ndarray) -> float:
    """The largest correlation of two rows [n, d], in standard errors of independent ones, 1/√d."""
    found = np.corrcoef(draws)[np.triu_indices(len(draws), 1)]
    return float(np.abs(found).max() * np.sqrt(draws.shape[1]))


def draws(start: jdgnn.State, end: jdgnn.State) -> np.ndarray:
    """How far each layer of each node that can learn has moved [nodes * layers, numbers], nearly all of it noise."""
    learns = np.asarray(end.num_steps).min(axis=1) > 0
    assert learns.sum() > 4
    layers = []
    for before, after in zip(start.params, end.params, strict=True):
        pairs = zip(leaves(before), leaves(after), strict=True)
        moved = [(new - old)[learns].reshape(learns.sum(), -1) for old, new in pairs]
        layers.append(np.concatenate(moved, axis=1))
    return np.concatenate(layers)


def test_nodes_and_layers_draw_independently(start: jdgnn.State, end: jdgnn.State) -> None:
    assert largest_correlation(draws(start, end)) < 4.5


@pytest.mark.long
def test_a_debug_run_draws_the_same(start: jdgnn.State, end: jdgnn.State) -> None:
    state, _ = jdgnn.debug_run(EMULATOR, start, NETWORK, NUM_TICKS)
    assert_same_bits(keys_of(state), keys_of(end))
    np.testing.assert_allclose(draws(start, state), draws(start, end), rtol=1e-4, atol=1e-2)


def keys_of(state: jdgnn.State) -> list[Any]:
    found = [leaf for leaf in jax.tree.leaves(state.opt_state) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)]
    assert len(found) == 2
    return found


def test_keys_come_back_from_disk_and_the_run_goes_on_to_the_same_bits(
    tmp_path: Path, start: jdgnn.State, end: jdgnn.State
) -> None:
    state, _ = jdgnn.run(EMULATOR, jdgnn.copy(start), NETWORK, 1)
    saved = jdgnn.save(tmp_path / "1", EMULATOR, state, NETWORK)
    again = jdgnn.restore(tmp_path / "1", EMULATOR, NETWORK)
    assert saved == jdgnn.digest(again) == jdgnn.digest(state)
    assert saved != jdgnn.digest(start)
    assert_same_bits(jdgnn.run(EMULATOR, again, NETWORK, NUM_TICKS - 1)[0], end)


def test_keys_of_another_generator_come_back(tmp_path: Path) -> None:
    noise = optax.chain(optax.add_noise(1.0, 0.0, jax.random.key(0, impl="rbg")), optax.sgd(1.0))
    emulator = replace(EMULATOR, optimizer=noise)
    state = emulator.init(jax.random.key(3), NETWORK)
    jdgnn.save(tmp_path / "0", emulator, state, NETWORK)
    assert_same_bits(jdgnn.restore(tmp_path / "0", emulator, NETWORK), state)


@pytest.mark.long
def test_rows_of_the_awake_and_refreshing_keep_keys() -> None:
    asleep = replace(EMULATOR, availability=jdgnn.availability(jdgnn.clocks.bernoulli(0.5)))
    kept = []
    for share in (None, 0.8):
        emulator = replace(asleep, active_fraction=share)
        state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(3), NETWORK), NETWORK, NUM_TICKS)
        kept.append(jdgnn.copy(state).opt_state)
        assert_same_bits(jdgnn.refresh(emulator, state, NETWORK, 2).opt_state, kept[-1])
    assert_same_bits(*kept)


def test_keys_stand_still_where_nobody_steps(start: jdgnn.State) -> None:
    merging = replace(EMULATOR, gossip=jdgnn.gossip(order="merge_only"))
    state, _ = jdgnn.run(merging, merging.init(jax.random.key(3), NETWORK), NETWORK, 2)
    assert_same_bits(keys_of(state), keys_of(start))


def _settle(key: Any, num_sent: Any) -> Any:
    del num_sent
    return jax.random.split(key)[0]


def _decide(key: Any, wakes: Any, num_merged: Any, uniforms: Any, num_candidates: int) -> Any:
    del wakes, num_merged, uniforms
    return jnp.where(jax.random.bernoulli(key), num_candidates, 0).astype(jnp.int32)


def coin(make_key: Any) -> jdgnn.Schedule:
    return jdgnn.Schedule(init=lambda: make_key(0), decide=_decide, settle=_settle)


def test_schedules_that_keep_keys_draw_at_each_node() -> None:
    tossed = coin(jax.random.key)
    emulator = small_emulator(
        layers=[jdgnn.gcn(3)], push=jdgnn.push(fanout=1, schedule=tossed), gossip=jdgnn.gossip(schedule=tossed)
    )
    start = emulator.init(jax.random.key(3), NETWORK)
    states = [jdgnn.run(emulator, start, NETWORK, 4)[0]]
    states.append(jdgnn.debug_run(emulator, emulator.init(jax.random.key(3), NETWORK), NETWORK, 4)[0])
    sent = [np.asarray(state.accounts.words)[:, 1:, 0, 1] for state in states]  # pushes and models of each node
    np.testing.assert_array_equal(sent[0], sent[1])
    assert len(np.unique(sent[0][:, 0])) > 2
    assert (sent[0][:, 0] != sent[0][:, 1]).any()


RAW = r"uint32\[2\].*PRNGKey\(0\): all nodes would draw the same. Write jax.random.key\(0\)"
KEY_AND_MAP = jdgnn.gcn(4)._replace(init=lambda *a: jdgnn.gcn(4).init(*a) | {"noise": jax.random.key(0)})
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "optimizer": (
        {"optimizer": jdgnn.sgd(0.1)._replace(init=lambda params: {"key": jax.random.PRNGKey(0)})},
        r"optimizer.init: its state has \['key'\] " + RAW,
    ),
    "schedule": (
        {
            "push": jdgnn.push(
                schedule=jdgnn.Schedule(init=lambda: jax.random.PRNGKey(0), decide=_decide, settle=_settle)
            )
        },
        f"push.schedule.init: its state has an array {RAW}",
    ),
    "objective": (
        {"objective": jdgnn.info_nce()._replace(init=lambda *a: jax.random.key(0))},
        r"objective\[0\].init: parameter .*key<fry>.*an objective is given a key of each node and tick",
    ),
    "layer": (
        {"layers": [KEY_AND_MAP]},
        r"layers\[0\].init: parameter \['noise'\] is key<fry>\[\]; expected",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_keys_that_could_not_differ_by_node_are_refused(name: str) -> None:
    changes, message = REFUSED[name]
    with pytest.raises(jdgnn.InputError, match=message):
        small_emulator(**changes).init(jax.random.key(0), NETWORK)
