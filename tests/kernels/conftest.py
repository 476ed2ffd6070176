"""Fixtures of the tests of compiled kernels."""

from collections.abc import Iterator

import jax
import pytest

from jdgnn.kernels import library


@pytest.fixture(scope="session")
def compiled() -> None:
    """The kernels are there; where they cannot be, what needs them is skipped."""
    if (reason := library.why_not()) is not None:
        pytest.skip(reason)


@pytest.fixture
def in_double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield
