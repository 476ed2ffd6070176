"""Whole arrays, as accelerators get them: the same results, the same bits twice, and each row by itself."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jdgnn
from jdgnn import clocks, links
from jdgnn.backend import accelerator
from jdgnn.backend.backend import backend
from jdgnn.backend.calls import Affine, Exchange, Step
from jdgnn.network.edges import sum_over_in_edges
from jdgnn.network.topology import topology
from tests.support import small_emulator

NETWORK = jdgnn.generators.barabasi_albert(60, 2, 5, seed=3)
LATE = jdgnn.link(drop=0.1, delay=links.uniform(0, 2))
EMULATORS: dict[str, dict[str, Any]] = {
    "deferred": {"optimizer": jdgnn.sgd(0.1), "gossip": jdgnn.gossip()},
    "two at a time": {"optimizer": jdgnn.adam(1e-2), "gossip": jdgnn.gossip(capacity=2, fanout=2)},
    "asleep": {
        "gossip": jdgnn.gossip(link=LATE, pool=4.0),
        "availability": jdgnn.availability(clocks.bernoulli(0.4)),
        "active_fraction": 0.45,
    },
}


@pytest.fixture
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("degrees", [[0, 1, 8, 9, 64, 65, 700, 3], [0, 0], [], [2], [513]])
@pytest.mark.usefixtures("_double_precision")
def test_sums_by_gathers_are_sums(degrees: list[int]) -> None:
    values = np.random.default_rng(0).normal(size=(sum(degrees), 3))
    receivers = np.repeat(np.arange(len(degrees)), degrees)
    expected = np.zeros((len(degrees), 3))
    np.add.at(expected, receivers, values)
    tree = tuple(map(jnp.asarray, accelerator.sum_tree(np.array(degrees, int))))
    np.testing.assert_allclose(accelerator.tree_sum(jnp.asarray(values), tree), expected, rtol=1e-12, atol=1e-12)


def test_whole_numbers_and_floats_are_summed_over_the_same_edges() -> None:
    sums = topology(NETWORK, backend("accelerator"))
    counts = jnp.arange(sums.num_edges, dtype=jnp.int32) % 7
    floats = sum_over_in_edges(counts.astype(float), sums)
    assert (sum_over_in_edges(counts, sums).astype(float) == floats).all()


def _numbers(num_nodes: int, source: np.ndarray) -> tuple[Affine, Exchange, Step, jax.Array]:
    rng = np.random.default_rng(1)
    draw = lambda *shape: jnp.asarray(rng.normal(size=(64, *shape))[:num_nodes])  # noqa: E731
    own, step = Affine(draw(5, 4), draw(4)), Step(draw(5), draw(4), draw() > 0)
    active = draw() > -1
    exchange = Exchange(accelerator.plan(jnp.asarray(source[:, 0]), active), jnp.asarray(source), jnp.abs(draw(1)) % 1)
    return own, exchange, step, draw(1, 5)


@pytest.mark.usefixtures("_double_precision")
def test_a_merge_makes_deferred_steps_first_and_of_who_takes_part_only() -> None:
    source = np.random.default_rng(2).integers(-1, 65, (64, 1)).astype(np.int32)
    own, exchange, step, inputs = _numbers(64, source)
    merged, product = jax.jit(accelerator.merge)(own, None, exchange, step, inputs)
    outer = np.einsum("nr,nc->nrc", step.input, step.scaled)
    stepped = own.matrix - np.where(step.is_stepping[:, None, None], outer, 0)
    for node in range(64):
        expected, row = np.asarray(stepped[node]), source[node, 0]
        if exchange.plan[node] and 0 <= row < 64:
            expected = expected + float(exchange.share[node, 0]) * (np.asarray(stepped[row]) - expected)
        np.testing.assert_allclose(merged.matrix[node], expected, rtol=1e-12, atol=1e-12)
    expected = np.einsum("nir,nrc->nic", inputs, merged.matrix) + merged.bias[:, None]
    np.testing.assert_allclose(product, expected, rtol=1e-12, atol=1e-12)


def test_bits_of_a_row_do_not_depend_on_the_rows_beside_it() -> None:
    source = np.random.default_rng(2).integers(-1, 7, (64, 1)).astype(np.int32)  # all have what they merge among 7
    whole = jax.jit(accelerator.merge)(*_arguments(64, source))
    for num_nodes in (7, 8, 33):
        some = jax.jit(accelerator.merge)(*_arguments(num_nodes, source[:num_nodes]))
        for a, b in zip(jax.tree.leaves(some), jax.tree.leaves(whole), strict=True):
            assert np.array_equal(a, b[:num_nodes])


def _arguments(num_nodes: int, source: np.ndarray) -> tuple[Any, ...]:
    own, exchange, step, inputs = _numbers(num_nodes, source)
    return own, None, exchange, step, inputs


@pytest.mark.parametrize("name", EMULATORS)
def test_a_run_gives_the_same_bits_twice_and_however_it_is_cut(name: str) -> None:
    emulator = small_emulator(**EMULATORS[name], backend="accelerator")
    ends = []
    for cut in ((9,), (4, 5), (1, 1, 7)):
        state = emulator.init(jax.random.key(0), NETWORK)
        for ticks in cut:
            state, _ = jdgnn.run(emulator, state, NETWORK, ticks, record_every=2)
        ends.append(jdgnn.digest(state))
    assert len(set(ends)) == 1


@pytest.mark.parametrize("name", EMULATORS)
def test_bfloat16_is_rounded_as_in_plain_jax(name: str) -> None:
    """But for single numbers that lie, in float32, a rounding error from where stochastic rounding turns."""
    ends = []
    for form in ("plain", "accelerator"):
        emulator = small_emulator(**EMULATORS[name], param_dtype="bfloat16", backend=form)
        state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), NETWORK), NETWORK, 6)
        ends.append(np.concatenate([np.ravel(leaf).astype(float) for leaf in jax.tree.leaves(state.params)]))
    assert np.mean(ends[0] != ends[1]) < 0.02
    assert np.abs(ends[0] - ends[1]).max() < 0.02 * np.abs(ends[0]).max()


def test_a_state_moves_between_the_forms() -> None:
    emulator = small_emulator(**EMULATORS["deferred"])
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), NETWORK), NETWORK, 5)
    there, _ = jdgnn.run(replace(emulator, backend="accelerator"), jdgnn.copy(state), NETWORK, 5)
    here, _ = jdgnn.run(emulator, state, NETWORK, 5)
    for a, b in zip(jax.tree.leaves(there.params), jax.tree.leaves(here.params), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_kernels_is_the_former_name() -> None:
    with pytest.warns(DeprecationWarning, match="the argument kernels is now backend"):
        assert small_emulator(kernels=False).backend == "plain"
