"""Rows that are copied in place."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdgnn.protocol.rows import BLOCK, copy_rows, put, take


@pytest.mark.parametrize("count", [0, 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5])
def test_as_many_rows_are_copied_as_asked_for(count: int) -> None:
    size = 2 * BLOCK + 5
    rng = np.random.default_rng(count)
    to, origin = rng.permutation(size + 3)[:size].astype(np.int32), rng.integers(0, 7, size, np.int32)
    target, source = np.zeros((size, 2), np.float32), rng.normal(size=(7, 2)).astype(np.float32)
    expected = target.copy()
    for row, there in zip(to[:count], origin[:count], strict=True):
        if row < size:  # the others go nowhere
            expected[row] = source[there]
    np.testing.assert_array_equal(jax.jit(copy_rows)(target, to, source, origin, count), expected)


def test_what_is_out_of_range_is_not_written() -> None:
    tree = {"a": jnp.arange(4)}
    index = jnp.array([2, 4])
    assert put(tree, index, {"a": jnp.array([9, 9])})["a"].tolist() == [0, 1, 9, 3]
    assert take(tree, index)["a"].tolist()[0] == 2
    assert take(tree, None) is tree
