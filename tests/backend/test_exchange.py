"""What moves messages and measures models, against the plain path and NumPy."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from jdgnn.backend import calls, plain
from jdgnn.backend.backend import ACCELERATOR, CPU, PLAIN, Backend
from jdgnn.emulation.spread import spread_of
from jdgnn.protocol.messages import Arrivals, arrivals
from tests.backend.twin import FAR

pytestmark = pytest.mark.usefixtures("compiled")

NUM_NODES, NUM_MESSAGES = 5, 24
KEYS = (-FAR - 1, -1, 0, 1, FAR)
RANKS = (0, 1, 2**31, 2**32 - 1)


def both_ways(function: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A function of a backend, compiled with the kernels, and without."""
    return jax.jit(partial(function, CPU)), jax.jit(partial(function, PLAIN))


def by_name(name: str) -> Callable[..., Any]:
    """An operation of a backend."""
    return lambda backend, *arguments: getattr(backend, name)(*arguments)


def assert_same_arrivals(found: Arrivals, expected: Arrivals, num_nodes: int) -> None:
    """The same messages in the same order; those of nobody are last, in any order."""
    assert_array_equal(found.dst, expected.dst)
    assert_array_equal(found.num_received, expected.num_received)
    assert_array_equal(found.position, expected.position)
    is_somebodys = np.asarray(found.dst) < num_nodes
    assert_array_equal(np.asarray(found.index)[is_somebodys], np.asarray(expected.index)[is_somebodys])
    assert sorted(np.asarray(found.index)) == list(range(found.index.size))
    for actual, wanted in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert actual.dtype == wanted.dtype


by_kernel, by_sorting = both_ways(lambda backend, *given: arrivals(backend, NUM_NODES, *given))


def messages(values: tuple[int, ...]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=NUM_MESSAGES, max_size=NUM_MESSAGES)


@given(messages((0, 1, 2, 3, 4, 4, 4, NUM_NODES)), messages(KEYS), messages(RANKS))
def test_messages_arrive_in_the_same_order(dst: list[int], key: list[int], rank: list[int]) -> None:
    """With ties, keys of both signs, and ranks beyond what an int32 can hold."""
    arguments = (np.array(dst, np.int32), np.array(key, np.int32), np.array(rank, np.uint32))
    assert_same_arrivals(by_kernel(*arguments), by_sorting(*arguments), NUM_NODES)


@pytest.mark.parametrize(
    ("num_nodes", "num_messages"), [(1, 1), (1, 200), (3, 400), (700, 300), (900, 9000), (50, 40_000), (20_000, 40_000)]
)
@pytest.mark.parametrize("num_keys", [0, 2])
def test_messages_of_any_number(num_nodes: int, num_messages: int, num_keys: int) -> None:
    rng = np.random.default_rng(num_messages)
    dst = rng.integers(0, num_nodes + 1, num_messages).astype(np.int32)
    keys = [rng.integers(0, 3, num_messages, np.int32), rng.integers(0, 2**32, num_messages, np.uint32)][:num_keys]
    kernel, plain = both_ways(lambda backend, *given: arrivals(backend, num_nodes, *given))
    assert_same_arrivals(kernel(dst, *keys), plain(dst, *keys), num_nodes)


def test_messages_without_a_recipient_and_no_messages() -> None:
    nobody = np.full(NUM_MESSAGES, NUM_NODES, np.int32)
    zeros = np.zeros(NUM_MESSAGES, np.int32)
    found = by_kernel(nobody, zeros, zeros.astype(np.uint32))
    assert_same_arrivals(found, by_sorting(nobody, zeros, zeros.astype(np.uint32)), NUM_NODES)
    assert found.index.tolist() == list(range(NUM_MESSAGES))
    empty = jnp.zeros(0, jnp.int32)
    assert calls.arrivals(NUM_NODES, empty, ())[3].tolist() == [0] * NUM_NODES
    assert calls.arrivals(NUM_NODES, empty, (empty,))[0].shape == (0,)
    assert arrivals(CPU, NUM_NODES, empty, empty).num_received.tolist() == [0] * NUM_NODES


DTYPES = (bool, np.int8, np.int32, np.uint32, np.float32, np.float64)


def numbers(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    return (100 * rng.normal(size=shape)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 5)])
def test_rows_are_gathered_and_what_is_out_of_range_is_zero(dtype: Any, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    row = rng.integers(-3, 12, (40, 3)).astype(np.int32)
    row[:2, 0] = FAR, -FAR - 1
    with jax.enable_x64(True):
        source = numbers(rng, (9, *shape), dtype)
        found = jax.jit(calls.gather)(source, row)
        assert found.dtype == dtype
        is_there = ((row >= 0) & (row < 9)).reshape(*row.shape, *(1,) * len(shape))
        assert_array_equal(found, np.where(is_there, source[np.clip(row, 0, 8)], np.zeros((), dtype)))
        kernel, plain = both_ways(by_name("gather"))
        there = np.maximum(row, 0)
        assert_array_equal(kernel(source, there), plain(source, there))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1,), (3,), (0,), (2, 5)])
def test_rows_are_copied_and_what_is_out_of_range_is_not(dtype: Any, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    to, origin = rng.permutation(12)[:9].astype(np.int32), rng.integers(-2, 9, 9).astype(np.int32)
    to[to > 9], origin[:2] = -FAR - 1, (FAR, -FAR - 1)
    with jax.enable_x64(True):
        target, source = numbers(rng, (10, *shape), dtype), numbers(rng, (7, *shape), dtype)
        expected = target.copy()
        for there, here in zip(to, origin, strict=True):
            if 0 <= there < 10 and 0 <= here < 7:
                expected[there] = source[here]
        before = target.copy()
        found = jax.jit(calls.copy_rows)(target, to, source, origin)
        assert found.dtype == dtype
        assert_array_equal(found, expected)
        assert_array_equal(target, before)


@pytest.mark.parametrize("num_rows", [7, 60_000])
def test_rows_are_written_as_without_kernels(num_rows: int) -> None:
    """Also where there are so many that the work is cut."""
    rng = np.random.default_rng(2)
    target, source = numbers(rng, (num_rows, 4), np.float32), numbers(rng, (9, 4), np.float32)
    to = np.where(rng.random(num_rows) < 0.3, num_rows, rng.permutation(num_rows)).astype(np.int32)
    origin, mask = rng.integers(0, 9, num_rows).astype(np.int32), rng.random(num_rows) < 0.4
    cases: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("write_rows", (target, to, source, origin)),
        ("write_rows", (target.reshape(-1, 1, 4), to, source, origin)),
        ("replace_rows", (target, mask, source, origin)),
        ("copy_rows", ({"a": target}, to, {"a": source}, origin, np.int32(num_rows // 2))),
        ("gather", (source, origin + 3)),
    )
    for name, arguments in cases:
        kernel, plain = both_ways(by_name(name))
        for actual, expected in zip(*(jax.tree.leaves(f(*arguments)) for f in (kernel, plain)), strict=True):
            assert_array_equal(actual, expected)


@pytest.mark.parametrize("backend", [CPU, PLAIN, ACCELERATOR])
def test_rows_of_no_width_or_number_are_left_alone(backend: Backend) -> None:
    index, nothing = jnp.zeros(3, jnp.int32), jnp.zeros(0, jnp.int32)
    for shape in ((4, 0), (0, 4)):
        empty, source = jnp.zeros(shape), jnp.zeros((4, shape[1]))
        assert backend.copy_rows(empty, index, source, index, jnp.int32(3), None).shape == shape
        assert backend.write_rows(empty, index + 9, source, index).shape == shape
    assert backend.write_rows(jnp.ones((4, 2)), nothing, jnp.zeros((3, 2)), nothing).all()
    assert backend.replace_rows(jnp.ones((0, 2)), nothing == 1, jnp.zeros((3, 2)), nothing).shape == (0, 2)
    assert backend.gather(jnp.ones((4, 2)), nothing).shape == (0, 2)
    assert backend.gather(jnp.ones((4, 0)), index).shape == (3, 0)


@pytest.mark.parametrize("backend", [CPU, PLAIN, ACCELERATOR])
def test_no_rows_are_copied(backend: Backend) -> None:
    nothing = jnp.zeros(0, jnp.int32)
    assert backend.copy_rows(jnp.ones((4, 2)), nothing, jnp.zeros((3, 2)), nothing, jnp.int32(0), None).all()


TOLERANCES = {np.float32: 1e-5, np.float64: 1e-12}


@pytest.mark.parametrize("shape", [(1,), (1, 1), (63, 3), (64, 2, 5), (70, 17), (3000, 33)], ids=str)
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_means_and_distances_are_those_of_numpy(dtype: Any, shape: tuple[int, ...]) -> None:
    rng, tolerance = np.random.default_rng(3), TOLERANCES[dtype]
    with jax.enable_x64(True):
        values = (rng.normal(size=shape) + 3).astype(dtype)
        for mask in (np.ones(shape[0], bool), np.arange(shape[0]) == shape[0] // 2, rng.random(shape[0]) < 0.5):
            found = calls.mean(jnp.asarray(values), jnp.asarray(mask))
            assert found.dtype == dtype
            if mask.any():
                wanted = values[mask].mean(axis=0, dtype=np.float64)
                assert_allclose(found, wanted, rtol=tolerance)
                assert_allclose(plain.mean_over_nodes(jnp.asarray(values), jnp.asarray(mask)), wanted, rtol=tolerance)
            else:
                assert np.isnan(found).all()
        centre = values.mean(axis=0)
        distance, norm = calls.distances(jnp.asarray(values), jnp.asarray(centre))
        axes = tuple(range(1, len(shape)))
        assert_allclose(distance, ((values - centre) ** 2).sum(axis=axes), rtol=10 * tolerance, atol=tolerance)
        assert_allclose(norm, (values**2).sum(axis=axes), rtol=10 * tolerance)
        assert distance.dtype == norm.dtype == dtype


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_a_mean_over_no_node_is_nan(dtype: Any) -> None:
    with jax.enable_x64(True):
        values, nobody = jnp.ones((70, 3), dtype), jnp.zeros(70, bool)
        assert np.isnan(calls.mean(values, nobody)).all()
        assert np.isnan(plain.mean_over_nodes(values[:, 0], nobody))


def test_what_masks_leave_out_may_be_anything() -> None:
    values = jnp.array([[1.0, 2.0], [jnp.nan, jnp.inf], [3.0, 6.0]])
    assert calls.mean(values, jnp.array([True, False, True])).tolist() == [2.0, 4.0]


@pytest.mark.parametrize("share", [0.0, 0.6, None])
def test_spreads_are_measured_as_without_kernels(share: float | None) -> None:
    rng = np.random.default_rng(4)
    with jax.enable_x64(True):
        params = tuple({"kernel": rng.normal(size=(90, 3, width)), "bias": np.zeros((90, width))} for width in (1, 40))
        mask = None if share is None else jnp.asarray(rng.random(90) < share)
        found, expected = (jax.tree.leaves(f(params, mask)) for f in both_ways(spread_of))
        for actual, wanted in zip(found, expected, strict=True):
            assert_allclose(actual, wanted, rtol=1e-12)
