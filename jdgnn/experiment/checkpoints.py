"""The checkpoints of one run: when they are due, the last few of them, and the newest that can be read."""

import contextlib
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jdgnn
from jdgnn import Emulator, Network, State
from jdgnn.emulation.checkpoint import DamagedError
from jdgnn.experiment.config import CheckpointsTable

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
        jdgnn.save(path, emulator, state, network, notes=notes)
        self._saved_at = self._clock()
        self._cost = self._saved_at - started
        for old in self.paths()[self._table.keep :]:
            _remove(old)

    def paths(self) -> list[Path]:
        """Of complete checkpoints, the newest first."""
        entries = self._folder.iterdir() if self._folder.is_dir() else ()
        named = [path for path in entries if re.fullmatch(r"0|[1-9]\d{0,9}", path.name, re.ASCII)]
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
        self._clear_partial()
        for path in self.paths():
            try:
                return Kept(jdgnn.restore(path, emulator, network), jdgnn.read_notes(path))
            except DamagedError as error:
                remark(str(error).removeprefix("path: "))
        return None

    def _clear_partial(self) -> None:
        """Removes what a killed process has left."""
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            if path not in self.paths():
                shutil.rmtree(path, ignore_errors=True)


def _remove(path: Path) -> None:
    """Takes the name away first, so that half of a checkpoint never has it."""
    doomed = path.with_name(f".{path.name}.removed")
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(doomed)
    path.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
