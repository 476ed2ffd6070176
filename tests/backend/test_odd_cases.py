"""What is seldom: compilers and systems that fail in odd ways, numbers for switches, and mixed precision."""

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jdgnn
from jdgnn.backend import library
from jdgnn.emulation.ways import why_plain
from tests.support import small_emulator, small_network

NETWORK = small_network()


@pytest.fixture
def afresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """As in a new process, whose cache is empty, and whose compiler fails."""
    monkeypatch.setattr(library, "why_not", functools.cache(library.why_not.__wrapped__))
    monkeypatch.setenv(library.CACHE, str(tmp_path / "cache"))
    monkeypatch.setenv("CXX", str(tmp_path / "compiler"))
    return monkeypatch


def compiler(folder: Path, line: str) -> None:
    path = folder / "compiler"
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


@pytest.mark.usefixtures("afresh")
def test_a_compiler_that_does_not_even_tell_its_version(tmp_path: Path) -> None:
    compiler(tmp_path, "echo error: no licence >&2; exit 3")
    assert isinstance(library.why_not(), str)


def test_there_is_no_home_to_keep_a_cache_in(afresh: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    compiler(tmp_path, "exit 0")
    afresh.delenv(library.CACHE)
    afresh.delenv("XDG_CACHE_HOME", raising=False)
    afresh.setattr(Path, "home", nowhere)
    assert isinstance(library.why_not(), str)


@pytest.mark.parametrize("given", [0, 1, np.False_])
def test_a_number_is_no_switch(given: Any) -> None:
    """What equals False without being it would leave kernels on."""
    with pytest.raises(jdgnn.InputError, match="kernels: got"):
        small_emulator(kernels=given)


@pytest.mark.usefixtures("in_double")
def test_parameters_of_another_precision_than_what_enters_are_a_reason() -> None:
    plain = jdgnn.gcn(4)

    def in_single(key: jax.Array, num_features: int, dtype: Any) -> Any:
        del dtype
        return plain.init(key, num_features, jnp.float32)

    network = replace(NETWORK, features=NETWORK.features.astype(np.float64))
    emulator = small_emulator(layers=[plain._replace(init=in_single)], gossip=jdgnn.gossip(capacity=1))
    with jax.numpy_dtype_promotion("standard"):  # as users have it
        assert why_plain(emulator, emulator.shapes(network), network.features) is not None
