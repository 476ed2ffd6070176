"""Fixtures of the tests of compiled kernels."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture
def in_double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield
