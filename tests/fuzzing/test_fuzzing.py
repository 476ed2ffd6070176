"""Whatever a file holds, it is read, or refused in one sentence; nothing runs, hangs, or is written."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

from bench.fuzzing import fuzz
from tests.fuzzing.contract import check
from tests.fuzzing.guard import watched
from tests.fuzzing.targets import TARGETS

FEW = 50
MINUTES = 2.0  # of a processor; `python -m bench.fuzzing` takes ten


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_sound_is_taken(name: str) -> None:
    """Else what is spoilt would hardly be looked at."""
    target = TARGETS[name]()
    assert check(target, target.sound) is None


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: os.system("true"),
        lambda folder: subprocess.run(["true"], check=True),
        lambda folder: (folder / "new").touch(),
        lambda folder: (folder / "new").mkdir(),
        lambda folder: (folder / "a").unlink(),
        lambda folder: os.kill(os.getpid(), 0),
        lambda folder: socket.create_connection(("127.0.0.1", 9)).close(),
    ],
)
def test_what_a_parser_must_not_do_is_noticed(harm: Callable[[Path], object], tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with watched() as done, contextlib.suppress(OSError):
        harm(tmp_path)
    assert done


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_harms_a_parser(name: str) -> None:
    target = TARGETS[name]()

    @hypothesis.settings(max_examples=FEW, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(target.inputs)
    def spoil(given: object) -> None:
        check(target, given)

    spoil()


@pytest.mark.long
@pytest.mark.atheris
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_harms_a_parser_for_minutes(name: str) -> None:
    assert fuzz(name, MINUTES)["inputs"] > FEW
