"""When nodes wake: exact periods, rates within five standard errors."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from jdgnn.errors import InputError
from jdgnn.parts import as_argument
from jdgnn.protocol.clocks import CLOCKS, Clock, always, bernoulli, lognormal, periodic
from tests.protocol.part_support import (
    CHI_SQUARE_LEVEL,
    assert_one_program,
    assert_rate,
    assert_same_key_same_bits,
    drawn,
)

RANDOM = {"bernoulli": bernoulli(0.3), "lognormal": lognormal(0.3, 0.5), "periodic": periodic(4)}


def masks(key: jax.Array, clock: Clock, num_nodes: int, num_ticks: int) -> tuple[Any, Any]:
    """Who wakes in each tick [T, N], and the memory at the start."""
    init_key, tick_key = jax.random.split(key)
    memory = clock.init(init_key, num_nodes)

    def step(memory: Any, tick: jax.Array) -> tuple[Any, jax.Array]:
        assert clock.sample is not None
        return clock.sample(jax.random.fold_in(tick_key, tick), tick, num_nodes, memory)

    return jax.lax.scan(step, memory, jnp.arange(num_ticks, dtype=jnp.int32))[1], memory


def simulate(clock: Clock, num_nodes: int, num_ticks: int) -> tuple[NDArray[np.bool_], Any]:
    wakes, memory = drawn(
        lambda clock, key: masks(key, clock, num_nodes, num_ticks), as_argument(clock), jax.random.key(0)
    )
    assert wakes.dtype == bool
    return np.asarray(wakes), memory


def test_every_clock_is_covered() -> None:
    assert set(CLOCKS) == {"always"} | set(RANDOM)


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("num_nodes", [1, 6])
def test_memory_has_one_row_per_node_and_keeps_its_shape(name: str, num_nodes: int) -> None:
    wakes, memory = simulate(RANDOM[name], num_nodes, 5)
    assert wakes.shape == (5, num_nodes)
    assert all(leaf.shape[0] == num_nodes for leaf in jax.tree.leaves(memory))


@pytest.mark.parametrize("name", RANDOM)
def test_the_key_decides(name: str) -> None:
    assert_same_key_same_bits(masks, RANDOM[name], 20, 10)


def test_always_is_awake_and_remembers_nothing() -> None:
    assert always().sample is None
    assert always().init(jax.random.key(0), 3) == ()


@pytest.mark.parametrize("prob", [0.0, 0.02, 0.5, 1.0])
def test_bernoulli_wakes_at_its_rate(prob: float) -> None:
    wakes, memory = simulate(bernoulli(prob), 200, 500)
    assert memory == ()
    assert_rate(wakes, prob)


@pytest.mark.parametrize("period", [1, 2, 7])
def test_periodic_wakes_once_in_a_period_at_any_phase(period: int) -> None:
    wakes, phases = simulate(periodic(period), 2000, 3 * period)
    assert ((phases >= 0) & (phases < period)).all()
    assert (wakes[period:] == wakes[:-period]).all()
    assert (wakes[:period].sum(axis=0) == 1).all()
    assert (wakes[np.asarray(phases), np.arange(2000)]).all()
    assert period == 1 or stats.chisquare(np.bincount(phases, minlength=period)).pvalue > CHI_SQUARE_LEVEL


def test_lognormal_probabilities_have_the_mean_and_spread_that_were_asked_for() -> None:
    mean_prob, sigma, num_nodes = 0.05, 0.5, 20_000
    probs = np.asarray(lognormal(mean_prob, sigma).init(jax.random.key(1), num_nodes))
    deviation = mean_prob * np.sqrt(np.expm1(sigma**2))
    assert abs(probs.mean() - mean_prob) < 5 * deviation / np.sqrt(num_nodes)
    assert abs(np.log(probs).std() - sigma) < 5 * sigma / np.sqrt(2 * num_nodes)


def test_lognormal_nodes_wake_at_their_own_rates_cut_at_one() -> None:
    wakes, probs = simulate(lognormal(0.5, 1.0), 60, 4000)
    assert float(probs.max()) == 1.0
    for node in range(60):
        assert_rate(wakes[:, node], float(probs[node]))
    assert np.ptp(np.asarray(lognormal(0.4, 0.0).init(jax.random.key(0), 9))) == 0


@pytest.mark.parametrize(
    "clocks",
    [
        [bernoulli(0.1), bernoulli(1)],
        [periodic(3), periodic(40)],
        [lognormal(0.1, 0.5), lognormal(0.2, 0)],
    ],
)
def test_another_number_is_the_same_program(clocks: list[Clock]) -> None:
    assert_one_program(lambda clock, key: masks(key, clock, 4, 3), list(map(as_argument, clocks)), jax.random.key(0))


@pytest.mark.parametrize("prob", [0.25, jnp.float32(0.25), np.float64(0.25)])
def test_numbers_may_be_arrays_of_any_precision(prob: Any) -> None:
    expected = bernoulli(0.25).sample(jax.random.key(0), 0, 50, ())[1]  # type: ignore[misc]
    np.testing.assert_array_equal(bernoulli(prob).sample(jax.random.key(0), 0, 50, ())[1], expected)  # type: ignore[misc]
    with jax.enable_x64():
        wide = jax.jit(lambda prob: bernoulli(prob).sample(jax.random.key(0), 0, 50, ())[1])  # type: ignore[misc]
        np.testing.assert_array_equal(wide(jnp.float64(0.25)), expected)
        periods = jax.jit(lambda period: periodic(period).init(jax.random.key(0), 50))(jnp.int64(9))
    np.testing.assert_array_equal(periods, periodic(9).init(jax.random.key(0), 50))


@pytest.mark.parametrize(
    ("factory", "arguments", "message"),
    [
        (bernoulli, (-0.1,), "prob: expected a number from 0 to 1, got -0.1"),
        (bernoulli, (1.5,), "prob: got 1.5"),
        (bernoulli, ("half",), "prob: got 'half'"),
        (bernoulli, (True,), "prob: got True"),
        (bernoulli, (float("nan"),), "prob: got nan"),
        (bernoulli, (np.ones(3),), "prob: got"),
        (periodic, (0,), "period: got 0, and a whole number of at least 1"),
        (periodic, (2.5,), "period: got 2.5"),
        (periodic, (True,), "period: got True"),
        (periodic, (2**31,), "period: got 2147483648"),
        (periodic, (jnp.float32(3),), "period: got"),
        (periodic, (jnp.int32(0),), "period: got"),
        (lognormal, (2, 0.5), "mean_prob: got 2"),
        (lognormal, (0.5, -1), "sigma: got -1"),
    ],
)
def test_impossible_numbers_are_named(factory: Any, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        factory(*arguments)
