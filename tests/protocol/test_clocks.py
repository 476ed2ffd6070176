"""When nodes wake: exact periods, rates within five standard errors."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from jdgnn.parts import as_argument
from jdgnn.protocol.clocks import Clock, always, bernoulli, lognormal, periodic
from tests.protocol.part_support import (
    CHI_SQUARE_LEVEL,
    assert_rate,
    drawn,
)


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


@pytest.mark.parametrize("prob", [0.25, jnp.float32(0.25), np.float64(0.25)])
def test_numbers_may_be_arrays_of_any_precision(prob: Any) -> None:
    expected = bernoulli(0.25).sample(jax.random.key(0), 0, 50, ())[1]  # type: ignore[misc]
    np.testing.assert_array_equal(bernoulli(prob).sample(jax.random.key(0), 0, 50, ())[1], expected)  # type: ignore[misc]
    with jax.enable_x64():
        wide = jax.jit(lambda prob: bernoulli(prob).sample(jax.random.key(0), 0, 50, ())[1])  # type: ignore[misc]
        np.testing.assert_array_equal(wide(jnp.float64(0.25)), expected)
        periods = jax.jit(lambda period: periodic(period).init(jax.random.key(0), 50))(jnp.int64(9))
    np.testing.assert_array_equal(periods, periodic(9).init(jax.random.key(0), 50))
