"""Merging in one pass and in place, against NumPy on copies of everything."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from jdgnn.backend import calls
from jdgnn.backend.calls import Affine
from tests.backend.twin import SOURCES, Problem, assert_agrees, expected, merged, planned, problem, stepped

pytestmark = pytest.mark.usefixtures("compiled", "in_double")
LARGE = 5000
MASKS = (0.0, 0.5, 1.0)
AWKWARD = (0.0, -0.0, 1.5, -2.25, 2.3e-308, -1e150, 8e307, 0.1)


def as_bytes(tree: Any) -> list[bytes]:
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


@pytest.mark.parametrize("num_nodes", [1, 2, 3, 70, 300])
@pytest.mark.parametrize("kind", SOURCES)
def test_models_of_any_source(kind: str, num_nodes: int) -> None:
    rng = np.random.default_rng(num_nodes)
    for share in MASKS:
        source = SOURCES[kind](rng, num_nodes)
        assert_agrees(problem(rng, source, rng.random(num_nodes) < share), cores=1 if num_nodes == 300 else 2)


@given(st.integers(0, 2**32 - 1), st.sampled_from(list(SOURCES)), st.sampled_from(MASKS))
def test_small_networks_of_any_form(seed: int, kind: str, share: float) -> None:
    rng = np.random.default_rng(seed)
    assert_agrees(problem(rng, SOURCES[kind](rng, 7), rng.random(7) < share))


@pytest.mark.parametrize("kind", ["rotation by 10", "rotation by 25", "permutation", "matching", "random", "hub"])
def test_large_networks_give_the_same_on_any_number_of_cores(kind: str) -> None:
    """To the bit but for products of networks that are not cut, whose slices are summed in another order."""
    rng = np.random.default_rng(1)
    source = SOURCES[kind](rng, LARGE)
    given = problem(rng, source, np.ones(LARGE, bool) if kind == "permutation" else rng.random(LARGE) < 0.97)
    assert_agrees(given, cores=1)
    (new, product), first = merged(given, 1), given.source[:, 0]
    for cores in (2, 3, 16):
        other, other_product = merged(given, cores)
        is_cut = planned(first, given.active, cores).bounds[1] < LARGE // 2
        assert as_bytes(new) == as_bytes(other)
        if is_cut and planned(first, given.active, 1).bounds[1] < LARGE // 2:
            assert as_bytes(product) == as_bytes(other_product)
        else:
            assert_allclose(product, other_product, rtol=1e-12, atol=1e-12)


COLUMNS, ROWS = (1, 3, 16, 63, 64, 65, 130), (1, 2, 65)
FORMS = [(rows, columns) for columns in COLUMNS for rows in ROWS]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("number", "shape"), list(enumerate(FORMS)), ids=lambda part: str(part).replace(" ", ""))
def test_matrices_of_any_shape(number: int, shape: tuple[int, int], dtype: Any) -> None:
    rng = np.random.default_rng(number)
    source = SOURCES["trees on cycles" if number % 2 else "matching"](rng, 9)
    has_bias = (number % 3 != 0) ^ (dtype == np.float32)
    assert_agrees(problem(rng, source, rng.random(9) < 0.8, shape=shape, dtype=dtype, has_bias=has_bias))


@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("num_nodes", [9, 600])
@pytest.mark.parametrize("num_slots", [1, 2, 16])
def test_models_from_a_pool_are_folded_in_one_after_another(num_slots: int, num_nodes: int, has_bias: bool) -> None:
    rng = np.random.default_rng(num_slots)
    source = rng.integers(-1, 12, (num_nodes, num_slots))  # of 11: some are nobody's, and some models many read
    given = problem(rng, source, rng.random(num_nodes) < 0.8, num_sent=11, has_bias=has_bias)
    assert_agrees(given)
    assert given.sent is not None
    before = as_bytes(given.sent)
    merged(given)
    assert as_bytes(given.sent) == before


@pytest.mark.parametrize("num_sent", [0, 11])
def test_more_models_than_can_be_merged_are_an_error(num_sent: int) -> None:
    rng = np.random.default_rng(0)
    given = problem(rng, rng.integers(0, 9, (9, 17 if num_sent else 2)), num_sent=num_sent)
    with pytest.raises(Exception, match="more models at a node than can be merged"):
        jax.block_until_ready(merged(given))


@pytest.mark.parametrize("num_sent", [0, 11])
def test_each_product_is_that_of_its_vector_alone(num_sent: int) -> None:
    rng = np.random.default_rng(0)
    given = problem(rng, SOURCES["trees on cycles"](rng, 70), rng.random(70) < 0.8, num_sent=num_sent)
    both = merged(given)[1]
    for number in range(2):
        alone = merged(given._replace(inputs=given.inputs[:, number : number + 1]))[1]
        assert as_bytes(alone[:, 0]) == as_bytes(both[:, number])


@pytest.mark.parametrize("num_sent", [0, 11])
def test_without_inputs_or_deferred_steps_it_merges_alike(num_sent: int) -> None:
    rng = np.random.default_rng(0)
    given = problem(rng, SOURCES["trees on cycles"](rng, 70), rng.random(70) < 0.8, num_sent=num_sent)
    assert as_bytes(merged(given)[0]) == as_bytes(merged(given._replace(inputs=None))[0])
    assert_agrees(given._replace(pending=None))
    assert_agrees(given._replace(pending=None, inputs=None))
    assert given.pending is not None
    nobody = given.pending._replace(is_stepping=jnp.zeros(70, bool))
    assert as_bytes(merged(given._replace(pending=nobody))) == as_bytes(merged(given._replace(pending=None)))


@pytest.mark.parametrize("kind", ["permutation", "trees on cycles", "hub", "rotation by 10"])
def test_who_is_not_active_keeps_its_model_and_its_step_and_is_read_with_the_step_made(kind: str) -> None:
    rng = np.random.default_rng(3)
    given = problem(rng, SOURCES[kind](rng, 70), rng.random(70) < 0.5)
    given = given._replace(share=np.ones_like(given.share))
    assert given.pending is not None
    idle = ~given.active
    assert (idle & given.pending.is_stepping).any()
    new, product = merged(given)
    assert as_bytes([leaf[idle] for leaf in given.own]) == as_bytes([np.asarray(leaf)[idle] for leaf in new])
    assert not np.asarray(product)[idle].any()
    settled = stepped(given.own, given.pending)
    readers = given.active & idle[given.source[:, 0]]
    assert readers.any()
    assert_allclose(np.asarray(new.matrix)[readers], settled.matrix[given.source[readers, 0]], rtol=1e-13, atol=1e-13)


def awkward(rng: np.random.Generator, given: Problem) -> Problem:
    """The same with numbers that rounding is hard on, and no steps put off."""
    drawn: Any = (rng.choice(AWKWARD, leaf.shape) for leaf in given.own)
    own = Affine(*drawn)
    return given._replace(own=own, pending=None)


@pytest.mark.parametrize("kind", ["permutation", "rotation by 10", "matching", "trees on cycles"])
def test_shares_of_zero_and_one_give_one_of_the_two_bit_for_bit(kind: str) -> None:
    rng = np.random.default_rng(5)
    given = awkward(rng, problem(rng, SOURCES[kind](rng, 70)))
    row = np.where((given.source[:, 0] >= 0) & (given.source[:, 0] < 70), given.source[:, 0], np.arange(70))
    kept, _ = merged(given._replace(share=np.zeros_like(given.share)))
    adopted, _ = merged(given._replace(share=np.ones_like(given.share)))
    assert as_bytes(kept) == as_bytes(given.own)
    assert as_bytes(adopted) == as_bytes([leaf[row] for leaf in given.own])


@pytest.mark.parametrize("share", [0.1, 1 / 3, 0.5, 0.7, 1 - 2**-53])
@pytest.mark.parametrize("num_sent", [0, 5])
def test_equal_models_stay_bit_for_bit(share: float, num_sent: int) -> None:
    rng = np.random.default_rng(5)
    given = awkward(rng, problem(rng, SOURCES["trees on cycles"](rng, 70) % (num_sent or 70), num_sent=num_sent))
    copies: Any = (np.broadcast_to(leaf[:1], leaf.shape).copy() for leaf in given.own)
    own = Affine(*copies)
    sent = Affine(*(leaf[:num_sent] for leaf in own)) if num_sent else None
    new, _ = merged(given._replace(own=own, sent=sent, share=np.full_like(given.share, share)))
    assert as_bytes(new) == as_bytes(own)


def test_what_is_not_donated_is_left_alone() -> None:
    rng = np.random.default_rng(0)
    given = jax.tree.map(jnp.asarray, problem(rng, SOURCES["permutation"](rng, 70)))
    before = as_bytes(given)
    merged(given)
    assert as_bytes(given) == before


def test_what_is_donated_is_changed_in_place() -> None:
    rng = np.random.default_rng(0)
    given = problem(rng, SOURCES["permutation"](rng, 70))
    wanted, _ = expected(given)

    def merge(own: Affine, others: Problem) -> Affine:
        return merged(others._replace(own=own))[0]

    own, others = jax.tree.map(jnp.asarray, (given.own, given._replace(own=given.own)))
    compiled = jax.jit(merge, donate_argnums=0)
    new = compiled(own, others)
    assert own.matrix.is_deleted()
    assert_allclose(new.matrix, wanted.matrix, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("has_product", [True, False])
def test_who_merges_nothing_and_makes_no_step_keeps_its_smallest_numbers(has_product: bool) -> None:
    """Those of which processors in XLA's threads make zeros whenever they compute with them."""
    tiny = np.arange(1, 4 * 5 * 3 + 1, dtype=np.uint32).reshape(4, 5, 3).view(np.float32)
    nobody, active = jnp.full((4, 1), -1, jnp.int32), jnp.ones(4, bool)

    @jax.jit
    def once(matrix: jax.Array, inputs: jax.Array) -> jax.Array:
        exchange = calls.Exchange(calls.plan(nobody[:, 0], active), nobody, jnp.zeros((4, 1), jnp.float32))
        own = Affine(matrix, jnp.zeros((4, 0), jnp.float32))
        return calls.merge(own, None, exchange, None, inputs if has_product else None)[0].matrix

    found = np.asarray(once(jnp.asarray(tiny), jnp.ones((4, 1, 5), jnp.float32)))
    assert found.tobytes() == tiny.tobytes()
