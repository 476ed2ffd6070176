"""The same run gives the same bits: in another process, however it is cut, watched, recorded, saved or replayed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import pytest

import jdgnn
from jdgnn.emulation import run as running
from tests.emulation.mixes import MIXES, NETWORK
from tests.seldom import mostly_long
from tests.support import ROOT

TICKS = 24
NAMES = ("synchronous", "pairs", "harsh", "joining", "alone")
"""On kernels and off them, in step and out of it, with views and with churn."""
OFTEN = ("pairs", "harsh")


def start(name: str) -> tuple[jdgnn.Emulator, jdgnn.State]:
    emulator = MIXES[name].emulator()
    return emulator, emulator.init(jax.random.key(3), NETWORK)


def outcome(name: str, ticks: int = TICKS, **options: Any) -> tuple[str, dict[int, Any]]:
    """The digest of the final state, and what was recorded by tick."""
    emulator, state = start(name)
    state, history = jdgnn.run(emulator, state, NETWORK, ticks, **{"record_every": 6, **options})
    return jdgnn.digest(state), {row["tick"]: row for row in history.rows()}


class Plain(dict[str, tuple[str, dict[int, Any]]]):
    """What comes of the plain runs, each made when it is asked for."""

    def __missing__(self, name: str) -> tuple[str, dict[int, Any]]:
        self[name] = outcome(name)
        return self[name]


@pytest.fixture(scope="module")
def plain() -> Plain:
    return Plain()


def ignore(progress: jdgnn.Progress) -> None:
    """Looks at a run."""


WAYS: dict[str, Callable[[str, Path], tuple[str, dict[int, Any]]]] = {
    "once more": lambda name, folder: outcome(name),
    "watched": lambda name, folder: outcome(name, on_progress=ignore),
    "watched after every tick": lambda name, folder: outcome(name, on_progress=ignore, progress_every=1),
    "watched after every seventh tick": lambda name, folder: outcome(name, on_progress=ignore, progress_every=7),
    "recorded": lambda name, folder: outcome(name, record=folder / "events.npz"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", mostly_long(NAMES, OFTEN))
def test_how_a_run_is_cut_and_watched_changes_no_bit(name: str, way: str, plain: Plain, tmp_path: Path) -> None:
    assert WAYS[way](name, tmp_path) == plain[name]


@pytest.mark.parametrize("seconds", [0.0, 1e9])
@pytest.mark.parametrize("name", mostly_long(NAMES, OFTEN))
def test_how_long_a_chunk_takes_changes_no_bit(
    name: str, seconds: float, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "TELLING_SECONDS", seconds)
    monkeypatch.setattr(running, "SILENT_SECONDS", seconds)
    assert outcome(name, on_progress=ignore) == plain[name]


@pytest.mark.parametrize("name", mostly_long(NAMES, OFTEN))
def test_what_is_measured_changes_no_bit(name: str, plain: Plain) -> None:
    digest, rows = outcome(name, record_every=1)
    assert digest == plain[name][0]
    assert {tick: rows[tick] for tick in plain[name][1]} == plain[name][1]


@pytest.mark.parametrize("name", mostly_long(NAMES, OFTEN))
def test_saving_replaying_and_going_on_change_no_bit(name: str, plain: Plain, tmp_path: Path) -> None:
    recorded = outcome(name, record=tmp_path / "events.npz")
    assert outcome(name, replay=tmp_path / "events.npz") == recorded == plain[name]
    emulator, state = start(name)
    for ticks in (1, 9, TICKS - 10):
        state, _ = jdgnn.run(emulator, state, NETWORK, ticks)
        jdgnn.save(tmp_path / str(int(state.tick)), emulator, state, NETWORK)
        state = jdgnn.restore(tmp_path / str(int(state.tick)), emulator, NETWORK)
    assert jdgnn.digest(state) == plain[name][0]


def elsewhere(**environment: str) -> list[str]:
    """The digests that another process prints."""
    code = f"from tests.emulation.test_same_bits import *; print(*(outcome(name)[0] for name in {OFTEN}))"
    done = subprocess.run(
        [sys.executable, "-c", f"import tests.conftest; {code}"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_another_process_computes_the_same_bits(plain: Plain) -> None:
    assert elsewhere(PYTHONHASHSEED="7") == [plain[name][0] for name in OFTEN]
