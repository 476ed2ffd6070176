"""The parts of a tick that are measured give the same by kernels and without."""

from typing import Any

import jax
import numpy as np
import pytest
from numpy.testing import assert_allclose

from bench import parts
from bench.workload import Options
from jdgnn.backend import library

SMALL = Options(nodes=60, units=8)
PARTS = parts.parts(SMALL)


def _numbers(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf, float) for leaf in jax.tree.leaves(tree)]


@pytest.mark.parametrize("name", [name for name, part in PARTS.items() if part.plain is None])
def test_both_ways_give_the_same(name: str) -> None:
    part = PARTS[name]
    ours, plain = (parts.compiled(part.run, are_allowed)(*part.arrays) for are_allowed in (True, False))
    for first, second in zip(_numbers(ours), _numbers(plain), strict=True):
        assert_allclose(first, second, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(library.why_not() is not None, reason="no kernels")
def test_every_part_stands_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "SECONDS", 1e-3)
    result = parts.measure(SMALL, rounds=1)
    lines = parts.table(result).splitlines()
    assert len(lines) == 2 + len(PARTS)
    assert all(name in line for name, line in zip(PARTS, lines[2:], strict=True))
