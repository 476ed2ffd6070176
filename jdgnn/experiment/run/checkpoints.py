"""The checkpoints of one run: when they are due, the last few of them, and the newest that can be read."""

import contextlib
import re
import shutil
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from jdgnn.emulation.checkpoint import DamagedError, OtherWayWarning, read_notes, restore, save
from jdgnn.emulation.state import State
from jdgnn.emulator import Emulator
from jdgnn.errors import InputError
from jdgnn.experiment.config.schema import CheckpointsTable
from jdgnn.network.network import Network

LEFT = re.compile(r"\.\d+\.removed|\d+\.orbax-checkpoint-tmp.*", re.ASCII)
"""Names of what is not yet, or no longer, a checkpoint."""
REST = 25
"""Saving takes at most one part in so many of the time, where checkpoints come by the minute."""


class Kept(NamedTuple):
    """A checkpoint that was read."""

    state: State
    notes: dict[str, Any]


class Checkpoints:
    """Directories named after ticks, in one folder.

    Args:
      folder: which one; it is made when it is needed.
      table: when checkpoints are due, and how many are kept.
      clock: seconds since any moment.

    Example:
      >>> times = iter([0.0, 30.0, 90.0])
      >>> checkpoints = Checkpoints(Path("nowhere"), CheckpointsTable(minutes=1), lambda: next(times))
      >>> checkpoints.is_due(10), checkpoints.is_due(20)
      (False, True)
    """

    def __init__(self, folder: Path, table: CheckpointsTable, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._table, self._clock = folder, table, clock
        self._saved_at, self._cost = clock(), 0.0

    def is_due(self, tick: int) -> bool:
        """Whether to save after this tick."""
        if not self._table.keep:
            return False
        if self._table.ticks is not None and tick % self._table.ticks == 0:
            return True
        pause = max(60 * self._table.minutes, REST * self._cost)
        return self._clock() - self._saved_at >= pause

    def save(self, emulator: Emulator, state: State, network: Network, notes: dict[str, Any]) -> None:
        """Writes a checkpoint, and removes those that are older than the last few.

        Raises:
          OSError: it could not be written; earlier ones stay.
        """
        if not self._table.keep:
            return
        started = self._clock()
        self._folder.mkdir(exist_ok=True)
        path = self._folder / str(int(state.tick))
        if path.exists():
            _remove(path)
        save(path, emulator, state, network, notes=notes)
        self._saved_at = self._clock()
        self._cost = self._saved_at - started
        for old in self.paths()[self._table.keep :]:
            _remove(old)

    def paths(self) -> list[Path]:
        """Of complete checkpoints, the newest first.

        Raises:
          InputError: they lie elsewhere.
        """
        if self._folder.is_symlink():
            raise InputError(f"--resume: {self._folder} is a link to another place; put a directory there")
        if self._folder.exists() and not self._folder.is_dir():
            raise InputError(f"--resume: {self._folder} is no directory; put one there, or remove it")
        entries = self._folder.iterdir() if self._folder.is_dir() else ()
        named = [path for path in entries if path.is_dir() and re.fullmatch(r"0|[1-9]\d{0,9}", path.name, re.ASCII)]
        return sorted(named, key=lambda path: int(path.name), reverse=True)

    def newest(self, emulator: Emulator, network: Network, remark: Callable[[str], None]) -> Kept | None:
        """The newest checkpoint that can be read; None if there is none.

        Args:
          emulator: the parts of the run.
          network: the network of the run.
          remark: told of those that are damaged.

        Raises:
          InputError: they are of another format, network or emulator.
        """
        paths = self.paths()
        for path in paths:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", OtherWayWarning)  # a resumed run compares the notes
                    return Kept(restore(path, emulator, network), read_notes(path))
            except DamagedError as error:
                remark(str(error).removeprefix("path: "))
        if paths:
            raise InputError(
                f"--resume: no checkpoint in {self._folder} can be read; remove that folder to begin at the first tick"
            )
        return None

    def tidy(self, tick: int) -> None:
        """Removes what a killed process has left, and checkpoints after a tick, which are damaged."""
        for path in self.paths():
            if int(path.name) > tick:
                _remove(path)
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            if LEFT.fullmatch(path.name) and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)


def check_format(folder: Path) -> None:
    """Rejects checkpoints of another version, before anything else that it wrote is read.

    Args:
      folder: where the checkpoints of a run are, if there are any.

    Raises:
      InputError: the newest of them that is whole has another format.
    """
    for path in Checkpoints(folder, CheckpointsTable()).paths():
        with contextlib.suppress(DamagedError):
            read_notes(path)
            return


def _remove(path: Path) -> None:
    """Takes the name away first, so that half of a checkpoint never has it."""
    doomed = path.with_name(f".{path.name}.removed")
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(doomed)
    path.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
