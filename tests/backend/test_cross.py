"""Runs with the kernels against runs without them, and the same bits however a run with them is made."""

from dataclasses import replace
from functools import cache, partial
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jdgnn
from jdgnn.backend.backend import CPU
from jdgnn.emulation.in_place import put_off
from jdgnn.learning.optimizers import OPTIMIZERS
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.peers import PEERS
from tests.backend.fast import FAST_LAYERS, FAST_OBJECTIVES
from tests.emulation.cases import Case
from tests.emulation.stepping import in_double as with_double
from tests.support import assert_accounts_add_up, assert_same_bits, leaves, num_programs, small_network

pytestmark = pytest.mark.usefixtures("compiled", "in_double")

NETWORK = with_double(small_network())
WEIGHED = tuple(name for name, make in MERGES.items() if make().weigh is not None)
WAYS: dict[str, dict[str, Any]] = {
    "synchronous": {"inbox_capacity": 1},
    "asleep": {"availability": "bernoulli", "link": "bernoulli", "inbox_capacity": 2},
    "churn": {"availability": "churn", "link": "uniform", "inbox_capacity": 3, "pool": 1.5},
}


def turn(options: Any, number: int) -> Any:
    return tuple(options)[number % len(options)]


def all_cases() -> dict[str, Case]:
    """Every weighed rule with every sampler; the rest takes turns."""
    cases = {}
    for number, (peers, merge) in enumerate(product(range(len(PEERS)), range(len(WEIGHED)))):
        way = turn(WAYS, number)
        layers = (turn(FAST_LAYERS, number), turn(FAST_LAYERS, number // 4 + 1))
        case = Case(
            layers=layers if number % 6 in (0, 5) else layers[:1],  # one is compiled sooner
            objective=turn(FAST_OBJECTIVES, number + number // len(FAST_OBJECTIVES)),
            optimizer=turn(OPTIMIZERS, number + number // 3 + 2),
            merge=WEIGHED[merge],
            peers=turn(PEERS, peers + merge),
            initial="independent" if number % 4 else "common",
            **WAYS[way],
        )
        case = replace(case, fanout=1) if case.peers == "matching" else case
        cases[f"{way}-{case.merge}-{case.peers}-{case.optimizer}"] = case
    return cases


ALL = all_cases()
OFTEN = list(ALL)[: len(WAYS)]  # each way once; every part is compared with the reference in `test_oracle.py`
PUT_OFF = {
    "put off": Case(("gcn", "sage", "gcn"), merge="limited", peers="matching", fanout=1, inbox_capacity=1),
    "put off, lossy": Case(peers="permutation", fanout=1, link="bernoulli", inbox_capacity=1, initial="independent"),
}
CASES = ALL | PUT_OFF
ORDINARY = ["put off"]  # which is in step
SELDOM = [name for name in CASES if name not in ORDINARY]


@cache
def emulator(name: str, kernels: bool) -> jdgnn.Emulator:
    return replace(CASES[name], kernels=kernels).emulator(NETWORK.num_nodes)


def ran(name: str, kernels: bool, *ticks: int, record_every: int = 1) -> tuple[jdgnn.State, list[jdgnn.History]]:
    """A run cut into several."""
    parts, histories = emulator(name, kernels), []
    state = parts.init(jax.random.key(4), NETWORK)
    for count in ticks:
        state, history = jdgnn.run(parts, state, NETWORK, count, record_every=record_every)
        histories.append(history)
    return state, histories


def assert_alike(actual: Any, expected: Any) -> None:
    """Whole numbers are equal, others to rounding."""
    structures: list[Any] = [jax.tree.structure(actual), jax.tree.structure(expected)]
    assert structures[0] == structures[1]
    for a, b in zip(leaves(actual), leaves(expected), strict=True):
        assert a.dtype == b.dtype
        if np.issubdtype(a.dtype, np.floating):
            assert_allclose(a, b, rtol=1e-9, atol=1e-9)
        else:
            assert_array_equal(a, b)


def check_against_plain(name: str) -> None:
    (state, (history,)), (plain, (plain_history,)) = (ran(name, kernels, 15) for kernels in (True, False))
    assert_alike(state, plain)
    for row, plain_row in zip(history.rows(), plain_history.rows(), strict=True):
        assert row.keys() == plain_row.keys()
        for field in row:
            assert_same_measure(row[field], plain_row[field])
    assert_accounts_add_up(state, NETWORK)
    start = emulator(name, True).init(jax.random.key(4), NETWORK)
    assert any((a != b).any() for a, b in zip(leaves(start.params), leaves(state.params), strict=True))


def assert_same_measure(actual: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys()
        for key, value in expected.items():
            assert_same_measure(actual[key], value)
    elif isinstance(expected, list | tuple):
        assert len(actual) == len(expected)
        for one, value in zip(actual, expected, strict=True):
            assert_same_measure(one, value)
    elif isinstance(expected, float):
        assert actual == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)
    else:
        assert actual == expected


def check_cuts(name: str) -> None:
    """However a run is cut, whatever is recorded, and whenever it is made, the bits are the same."""
    whole, (history,) = ran(name, True, 20)
    compiled = num_programs()
    for ticks, record_every in (((20,), 1), ((20,), 1000), ((7, 13), 3), ((1,) * 20, 1), ((1,) * 20, 1000)):
        state, histories = ran(name, True, *ticks, record_every=record_every)
        assert_same_bits(state, whole)
        rows = {row["tick"]: row for row in history.rows()}
        for row in (row for part in histories for row in part.rows()):
            assert repr(row) == repr(rows[row["tick"]])  # nan is nan
    assert num_programs() == compiled


@pytest.mark.parametrize("name", ORDINARY)
def test_kernels_give_what_the_plain_path_gives(name: str) -> None:
    check_against_plain(name)


@pytest.mark.parametrize("name", ORDINARY)
def test_no_bit_depends_on_how_a_run_is_made(name: str) -> None:
    check_cuts(name)


@pytest.mark.long
@pytest.mark.parametrize("name", SELDOM)
def test_kernels_give_what_the_plain_path_gives_in_every_case(name: str) -> None:
    check_against_plain(name)


@pytest.mark.long
@pytest.mark.parametrize("name", SELDOM)
def test_no_bit_depends_on_how_a_run_is_made_in_every_case(name: str) -> None:
    check_cuts(name)


@pytest.mark.parametrize("name", ["put off", pytest.param(OFTEN[1], marks=pytest.mark.long)])
def test_refreshing_is_the_same_with_and_without_kernels(name: str) -> None:
    """To rounding; with the kernels to the bit, however it is cut; and parameters stand still."""
    parts, (before, _) = emulator(name, True), ran(name, True, 7)
    with_kernels = jdgnn.refresh(parts, jdgnn.copy(before), NETWORK, 5)
    in_two = jdgnn.refresh(parts, jdgnn.refresh(parts, jdgnn.copy(before), NETWORK, 2), NETWORK, 3)
    without = jdgnn.refresh(emulator(name, False), jdgnn.copy(before), NETWORK, 5)
    assert_same_bits(in_two, with_kernels)
    assert_same_bits(with_kernels.params, before.params)
    assert_alike(with_kernels, without)
    after, _ = jdgnn.run(parts, with_kernels, NETWORK, 3)
    plain, _ = jdgnn.run(emulator(name, False), without, NETWORK, 3)
    assert_alike(after, plain)


def test_a_run_may_change_its_mind_about_kernels() -> None:
    """States of both are of one kind: nothing is left pending."""
    state, _ = ran("put off", True, 7)
    assert state.pending is None
    state, _ = jdgnn.run(emulator("put off", False), state, NETWORK, 8)
    assert_alike(state, ran("put off", False, 15)[0])


@pytest.mark.long
def test_single_precision_gives_the_same_bits_however_cut() -> None:
    with jax.enable_x64(False):
        whole = ran("put off", True, 20)[0]
        assert_same_bits(ran("put off", True, 7, 13, record_every=1000)[0], whole)
        assert {leaf.dtype for leaf in jax.tree.leaves(whole.params)} == {np.dtype(np.float32)}


def test_every_kind_takes_part() -> None:
    chosen = ALL.values()
    for kinds, held in (
        (WEIGHED, [case.merge for case in chosen]),
        (PEERS, [case.peers for case in chosen]),
        (OPTIMIZERS, [case.optimizer for case in chosen]),
        (FAST_OBJECTIVES, [case.objective for case in chosen]),
        (FAST_LAYERS, [layer for case in chosen for layer in case.layers]),
    ):
        assert all(held.count(kind) >= 2 for kind in kinds)
    assert {name.split("-")[0] for name in OFTEN} == set(WAYS)
    assert len(ALL) == len(WEIGHED) * len(PEERS)
    assert len({(case.merge, case.peers) for case in ALL.values()}) == len(ALL)
    for name in PUT_OFF:
        parts = emulator(name, True)
        given = parts.init(jax.random.key(0), NETWORK), jnp.asarray(NETWORK.features)
        state = jax.eval_shape(partial(put_off, parts, CPU), *given)
        assert state.pending is not None
