"""What tests of parts share: compiled draws in both precisions, and bounds of statistical tests."""

from collections.abc import Callable
from typing import Any

import chex
import jax
import numpy as np
from numpy.typing import NDArray

from tests.support import assert_same_bits, leaves

CHI_SQUARE_LEVEL = 1e-6  # one-sided level of a five-sigma test


def drawn(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a compiled function gives, the same bits with and without 64-bit numbers; arguments are traced."""
    compiled = jax.jit(function)
    result = compiled(*arguments)
    with jax.enable_x64():
        assert_same_bits(result, compiled(*arguments))
    return result


def assert_one_program(function: Callable[..., Any], parts: list[Any], *arguments: Any) -> None:
    """Asserts that a function compiled for one part serves the others."""
    chex.clear_trace_counter()
    compiled = jax.jit(chex.assert_max_traces(function, n=1))
    for part in parts:
        compiled(part, *arguments)


def assert_same_key_same_bits(function: Callable[..., Any], *arguments: Any) -> None:
    """Asserts that a function of a key and more gives the same twice, and something else for another key."""
    first, again, other = (leaves(function(jax.random.key(seed), *arguments)) for seed in (3, 3, 4))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def assert_rate(mask: NDArray[np.bool_], prob: float, errors: float = 5) -> None:
    """Asserts that independent draws are True with a probability, within so many standard errors."""
    assert abs(mask.mean() - prob) <= errors * np.sqrt(prob * (1 - prob) / mask.size)
