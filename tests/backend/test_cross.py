"""Runs with kernels and deferred steps against runs without kernels, and the same bits however a run is made.

`test_oracle.py` compares every part with the reference, with kernels; here only steps are deferred.
"""

from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jdgnn
from jdgnn import merging, peers
from jdgnn.backend.backend import CPU
from jdgnn.emulation.in_place import defer_steps
from tests.emulation.stepping import in_double
from tests.seldom import mostly_long
from tests.support import assert_accounts_add_up, assert_same_bits, leaves, num_programs, small_emulator, small_network

pytestmark = pytest.mark.usefixtures("compiled", "in_double")

NETWORK = in_double(small_network())
CASES: dict[str, dict[str, Any]] = {
    "synchronous": {
        "layers": [jdgnn.gcn(4), jdgnn.sage(3), jdgnn.gcn(4)],
        "gossip": jdgnn.gossip(merge=merging.limited(1), peers=peers.matching()),
    },
    "lossy": {"gossip": jdgnn.gossip(peers=peers.permutation(), link=jdgnn.link(drop=0.3)), "initial": "independent"},
    "alone": {"objective": jdgnn.edge_reconstruction(), "gossip": None},
}
cases = pytest.mark.parametrize("name", mostly_long(CASES, ["synchronous"]))


@cache
def emulator(name: str, how: str) -> jdgnn.Emulator:
    return small_emulator(**{"optimizer": jdgnn.sgd(0.02), "backend": how} | CASES[name])


def ran(name: str, how: str, *ticks: int, record_every: int = 1) -> tuple[jdgnn.State, list[jdgnn.History]]:
    """A run cut into several."""
    parts, histories = emulator(name, how), []
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


@pytest.mark.parametrize("name", CASES)
def test_steps_are_deferred(name: str) -> None:
    parts = emulator(name, "cpu")
    given = parts.init(jax.random.key(0), NETWORK), jnp.asarray(NETWORK.features)
    assert jax.eval_shape(partial(defer_steps, parts, CPU), *given).pending is not None


@cases
def test_kernels_give_what_the_plain_path_gives(name: str) -> None:
    (state, histories), (plain, plain_histories) = (ran(name, how, 15) for how in ("cpu", "plain"))
    assert_alike(state, plain)
    assert_alike(leaves(histories), leaves(plain_histories))
    assert_accounts_add_up(state, NETWORK)
    start = emulator(name, "cpu").init(jax.random.key(4), NETWORK)
    assert any((a != b).any() for a, b in zip(leaves(start.params), leaves(state.params), strict=True))


@cases
def test_no_bit_depends_on_how_a_run_is_made(name: str) -> None:
    """However a run is cut, whatever is recorded, and whenever it is made."""
    whole, (history,) = ran(name, "cpu", 20)
    compiled = num_programs()
    for ticks, record_every in (((20,), 1), ((20,), 1000), ((7, 13), 3), ((1,) * 20, 1), ((1,) * 20, 1000)):
        state, histories = ran(name, "cpu", *ticks, record_every=record_every)
        assert_same_bits(state, whole)
        rows = {row["tick"]: row for row in history.rows()}
        for row in (row for part in histories for row in part.rows()):
            assert repr(row) == repr(rows[row["tick"]])  # nan is nan
    assert num_programs() == compiled


def test_refreshing_is_the_same_with_and_without_kernels() -> None:
    """To rounding; with kernels bit for bit, however it is cut; and parameters do not change."""
    parts, plain_parts = (emulator("synchronous", how) for how in ("cpu", "plain"))
    before, _ = ran("synchronous", "cpu", 7)
    with_kernels = jdgnn.refresh(parts, jdgnn.copy(before), NETWORK, 5)
    in_two = jdgnn.refresh(parts, jdgnn.refresh(parts, jdgnn.copy(before), NETWORK, 2), NETWORK, 3)
    without = jdgnn.refresh(plain_parts, jdgnn.copy(before), NETWORK, 5)
    assert_same_bits(in_two, with_kernels)
    assert_same_bits(with_kernels.params, before.params)
    assert_alike(with_kernels, without)
    assert_alike(jdgnn.run(parts, with_kernels, NETWORK, 3)[0], jdgnn.run(plain_parts, without, NETWORK, 3)[0])


def test_a_run_may_continue_without_kernels() -> None:
    """States of both are of one kind: no step is left pending."""
    state, _ = ran("synchronous", "cpu", 7)
    assert state.pending is None
    state, _ = jdgnn.run(emulator("synchronous", "plain"), state, NETWORK, 8)
    assert_alike(state, ran("synchronous", "plain", 15)[0])


@pytest.mark.long
def test_single_precision_gives_the_same_bits_however_cut() -> None:
    with jax.enable_x64(False):
        whole = ran("synchronous", "cpu", 20)[0]
        assert_same_bits(ran("synchronous", "cpu", 7, 13, record_every=1000)[0], whole)
        assert {leaf.dtype for leaf in jax.tree.leaves(whole.params)} == {np.dtype(np.float32)}
