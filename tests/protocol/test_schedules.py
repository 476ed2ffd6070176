"""How many messages a wake sends: exact cases, and the randomised rounding within five standard errors."""

from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdgnn.protocol.schedules import Schedule, every, token_account
from tests.protocol.part_support import assert_rate, drawn
from tests.reference import twins

NEVER, SURE = 1 - 2**-24, 0.0  # the largest and the smallest uniform draw

decide_one: Any = jax.jit(lambda schedule, *arguments: schedule.decide(*arguments))
decide_all: Any = jax.jit(
    lambda schedule, balances, merged, uniforms: jax.vmap(schedule.decide, (0, None, 0, 0, None))(
        balances, jnp.int32(0), merged, uniforms, 100
    )
)


def decide(schedule: Schedule, balance: int, num_merged: int, uniforms: list[float]) -> int:
    return int(
        decide_one(
            schedule, jnp.int32(balance), jnp.int32(9), jnp.int32(num_merged), jnp.array(uniforms, jnp.float32), 100
        )
    )


@pytest.mark.parametrize("wakes", [1, 2, 5])
def test_every_sends_all_at_its_phase(wakes: int) -> None:
    for phase in range(wakes):
        schedule = every(wakes, phase)
        assert schedule.min_wakes == wakes
        for wake in range(12):
            expected = 4 if (wake - phase) % wakes == 0 else 0
            wanted = decide_one(schedule, (), jnp.int32(wake), jnp.int32(0), None, 4)
            assert wanted == expected
            assert wanted.dtype == jnp.int32
    assert every().init() == every().settle((), 3) == ()


@pytest.mark.parametrize(("capacity", "reserve"), [(1, 1), (5, 5), (20, 10), (7, 1), (16, 4)])
def test_what_is_sent_unasked_depends_on_the_balance_as_stated(capacity: int, reserve: int) -> None:
    schedule = token_account(capacity, reserve)
    for balance in range(capacity + 1):
        above = balance - reserve + 1
        prob = Fraction(max(above, 0), capacity - reserve + 1)
        assert decide(schedule, balance, 0, [NEVER]) == (1 if prob == 1 else 0)
        assert decide(schedule, balance, 0, [SURE]) == (1 if prob > 0 else 0)
        if 0 < prob < 1:
            below, at = np.nextafter(np.float32(prob), np.float32(0)), np.float32(prob)
            assert decide(schedule, balance, 0, [float(below)]) == 1
            assert decide(schedule, balance, 0, [float(at)]) == 0


def test_answers_are_rounded_one_by_one() -> None:
    schedule = token_account(capacity=16, reserve=4)  # a balance of 7 answers with 1 or, at draws below 3/4, 2
    assert decide(schedule, 7, 1, [NEVER, 0.75]) == 1
    assert decide(schedule, 7, 1, [NEVER, 0.7499]) == 2
    assert decide(schedule, 7, 2, [NEVER, 0.1, 0.9]) == 3
    assert decide(schedule, 7, 2, [SURE, 0.1, 0.1]) == 5
    assert decide(schedule, 7, 1, [NEVER, 0.1, 0.1, 0.1]) == 2  # only models that were merged are answered
    assert decide(schedule, 7, 0, [NEVER, 0.1, 0.1, 0.1]) == 0
    assert decide(schedule, 3, 2, [NEVER, 0.74, 0.75]) == 1


def test_no_account_is_overdrawn() -> None:
    schedule = token_account(capacity=16, reserve=4)
    assert decide(schedule, 8, 5, [SURE] * 6) == 9
    assert decide(schedule, 1, 3, [SURE] * 4) == 2
    assert decide(token_account(5, 5), 5, 3, [SURE] * 4) == 4
    assert decide(token_account(5, 1), 0, 3, [SURE] * 4) == 0


def test_rounding_keeps_the_mean() -> None:
    count, balance = 40_000, 13
    schedule = token_account(capacity=20, reserve=10)
    uniforms = jax.random.uniform(jax.random.key(0), (count, 3), jnp.float32)
    state = jnp.full(count, balance), jnp.full(count, 2)
    sent = np.asarray(decide_all(schedule, *state, uniforms))
    probs = np.array([4 / 11, 0.3, 0.3])  # one unasked; one or two for each of two models
    error = np.sqrt((probs * (1 - probs)).sum() / count)
    assert abs(sent.mean() - (2 + probs.sum())) < 5 * error
    assert_rate(sent == 2, float((1 - probs).prod()))


def test_the_balance_grows_is_spent_and_stays_below_its_capacity() -> None:
    schedule = token_account(capacity=4, reserve=2)
    assert schedule.init() == 0
    assert schedule.init().dtype == jnp.int32
    assert [int(schedule.settle(balance, sent)) for balance, sent in ((0, 0), (3, 0), (4, 0), (4, 5), (2, 1))] == [
        1,
        4,
        4,
        0,
        2,
    ]


def test_an_account_over_many_wakes_is_that_of_its_twin() -> None:
    num_wakes, capacity, reserve, inbox, fanout = 200, 6, 4, 2, 3
    uniforms = jax.random.uniform(jax.random.key(1), (num_wakes, 1 + inbox), jnp.float32)
    merged = jax.random.randint(jax.random.key(2), (num_wakes,), 0, inbox + 1, dtype=jnp.int32)

    def wake(schedule: Schedule, balance: jax.Array, drawn: Any) -> tuple[jax.Array, Any]:
        num_merged, uniform = drawn
        wanted = schedule.decide(balance, jnp.int32(0), num_merged, uniform, fanout)
        balance = schedule.settle(balance, jnp.minimum(wanted, fanout))
        return balance, (wanted, balance)

    def run(schedule: Schedule) -> Any:
        return jax.lax.scan(lambda *carry: wake(schedule, *carry), schedule.init(), (merged, uniforms))[1]

    wanted, balances = drawn(run, token_account(capacity, reserve))
    assert wanted.dtype == balances.dtype == jnp.int32
    balance = 0
    for tick in range(num_wakes):
        expected = twins.account_wanted(balance, int(merged[tick]), uniforms[tick].tolist(), capacity, reserve)
        balance = twins.account_after(balance, min(expected, fanout), capacity)
        assert (wanted[tick], balances[tick]) == (expected, balance)
    assert len(set(wanted.tolist())) > 2


def test_numbers_may_be_traced() -> None:
    capacity = jax.jit(lambda capacity, reserve: token_account(capacity, reserve).settle(jnp.int32(50), 0))
    assert capacity(7, 3) == 7
    is_due = jax.jit(lambda phase: every(3, phase).decide((), jnp.int32(4), 0, None, 5))
    assert [int(is_due(phase)) for phase in range(3)] == [0, 5, 0]
