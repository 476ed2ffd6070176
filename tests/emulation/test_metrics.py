"""What is measured of a state, against NumPy."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import jdgnn
from jdgnn import presence
from jdgnn.backend.backend import PLAIN, backend
from jdgnn.backend.plain import SUMMED, sum_over_nodes
from jdgnn.emulation.collapse import effective_rank
from jdgnn.emulation.history import from_rows
from jdgnn.emulation.metrics import QUANTILES, quantiles
from jdgnn.emulation.spread import consensus_distance
from jdgnn.protocol.accounts import OUTCOMES
from tests.support import small_emulator, small_network

NUM_VALUES = 9
compiled_quantiles = jax.jit(partial(quantiles, backend()))


@given(
    st.lists(st.integers(-9, 9), min_size=NUM_VALUES, max_size=NUM_VALUES),
    st.lists(st.booleans(), min_size=NUM_VALUES, max_size=NUM_VALUES),
)
def test_quantiles_are_values_that_occur(values: list[int], mask: list[bool]) -> None:
    chosen = np.array(values, np.float32)[np.array(mask)]
    found = compiled_quantiles(np.array(values, np.float32), np.array(mask))
    if not chosen.size:
        assert np.isnan(found).all()
        return
    assert_array_equal(found, np.quantile(chosen, QUANTILES, method="nearest"))


@pytest.mark.parametrize("num_nodes", [1, SUMMED, 2 * SUMMED + 5])
def test_sums_over_nodes_leave_none_out(num_nodes: int) -> None:
    values = np.random.default_rng(0).normal(size=(num_nodes, 3)).astype(np.float32)
    assert_allclose(sum_over_nodes(jnp.asarray(values)), values.astype(np.float64).sum(axis=0), rtol=1e-5, atol=1e-4)


def test_a_record_tells_how_nodes_that_have_joined_differ() -> None:
    network = small_network()
    late = presence.late_joining(0.5, 4, 100)
    emulator = small_emulator(availability=jdgnn.availability(presence=late), initial="independent")
    state, history = jdgnn.run(emulator, emulator.init(jax.random.key(1), network), network, 12)
    joined = np.asarray(state.wakes) > 0
    assert 1 < joined.sum() < network.num_nodes
    assert history.online[-1] == history.active[-1] == 1  # of those who have joined
    flat = np.stack([np.concatenate([np.ravel(leaf[v]) for leaf in jax.tree.leaves(state.params)]) for v in range(12)])
    mean = flat[joined].mean(axis=0)
    distance = ((flat[joined] - mean) ** 2).sum(axis=1) / (mean**2).sum()
    table = jdgnn.node_table(state, network)
    expected = {
        "bytes_sent": table["bytes"][joined, :, OUTCOMES.index("sent")].sum(axis=1),
        "bytes_delivered": table["bytes"][joined, :, OUTCOMES.index("delivered")].sum(axis=1),
        "age": np.asarray(state.age)[joined],
        "wakes": np.asarray(state.wakes)[joined],
        "distance": distance,
        "norm_ratio": np.linalg.norm(flat[joined], axis=1) / float(state.initial_norm),
    }
    for name, values in expected.items():
        assert_allclose(history.quantiles[name][-1], np.quantile(values, QUANTILES, method="nearest"), rtol=1e-5)
    assert_allclose(history.norm_ratio[-1], expected["norm_ratio"].mean(), rtol=1e-5)
    assert_allclose(history.consensus_distance[-1], distance.mean(), rtol=1e-5)
    by_layer = [consensus_distance(layer, jnp.asarray(joined)) for layer in state.params]
    assert_allclose(history.disagreement[-1], by_layer, rtol=1e-6)
    assert (history.loss_quantiles[-1, :, 0] <= history.loss[-1]).all()
    assert (history.loss[-1] <= history.loss_quantiles[-1, :, -1]).all()


def test_the_effective_rank_is_that_of_the_singular_values() -> None:
    rng = np.random.default_rng(0)
    vectors, mask = rng.normal(size=(40, 6)) * [9, 3, 1, 1, 0.1, 0], rng.random(40) < 0.7
    values = np.linalg.svd(vectors[mask], compute_uv=False)
    shares = values[values > 1e-12] / values.sum()
    with jax.enable_x64():
        found = effective_rank(jnp.asarray(vectors), jnp.asarray(mask))
        alone = effective_rank(jnp.asarray(vectors[:1] * np.ones((40, 1))), jnp.asarray(mask))
    assert_allclose(found, np.exp(-np.sum(shares * np.log(shares))), rtol=1e-6)
    assert_allclose(alone, 1, atol=1e-5)
    assert np.isnan(effective_rank(jnp.zeros((4, 2)), jnp.ones(4, bool)))


def test_a_record_tells_the_effective_rank_of_each_layer() -> None:
    network = small_network()
    emulator = small_emulator()
    state, history = jdgnn.run(emulator, emulator.init(jax.random.key(1), network), network, 3, record_every=3)
    ranks = [effective_rank(layer, jnp.ones(len(layer), bool)) for layer in state.embeddings]
    assert_allclose(history.effective_rank[-1], ranks, rtol=1e-4)


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_quantiles_by_kernel_and_without_are_the_same(count: int) -> None:
    generator = np.random.default_rng(count)
    for share, special in ((1.0, 0.0), (0.5, 0.0), (0.5, np.nan), (0.5, np.inf), (0.0, 0.0)):
        values = generator.integers(-3, 4, count).astype(np.float32) / 7
        values[generator.random(count) < 0.2] = special
        mask = generator.random(count) < share
        given = jnp.asarray(values), jnp.asarray(mask)
        assert_array_equal(quantiles(backend(), *given), quantiles(PLAIN, *given))


def test_who_was_there_is_counted_in_every_tick_recorded_or_not() -> None:
    network = small_network()
    emulator = small_emulator(availability=jdgnn.availability(presence=presence.churn(3.0, 2.0)))
    runs = [
        jdgnn.run(emulator, emulator.init(jax.random.key(3), network), network, 11, record_every=every)
        for every in (1, 11)
    ]
    (_, every_tick), (state, last_only) = runs
    assert every_tick.attendance is not None
    assert last_only.attendance is not None
    joined = [round(share * network.num_nodes) for share in every_tick.online]
    assert every_tick.attendance[:, 0].tolist() == [network.num_nodes * tick for tick in range(1, 12)]
    assert every_tick.attendance[:, 1].tolist() == np.cumsum(joined).tolist()
    assert_array_equal(last_only.attendance[-1], every_tick.attendance[-1])
    assert last_only.rows()[-1]["attendance"] == {"joined": network.num_nodes * 11, "online": sum(joined)}
    again = from_rows(every_tick.rows(), np.float32)
    assert again.attendance is not None
    assert_array_equal(again.attendance, every_tick.attendance)
    assert small_emulator().init(jax.random.key(0), network).attendance is None
    assert int(np.asarray(state.wakes).sum()) <= sum(joined)
