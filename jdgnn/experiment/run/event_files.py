"""The files of random events of a run: the one it is recorded in, or the one it is replayed from."""

from pathlib import Path
from typing import NamedTuple

from jdgnn.emulation.sources import Replay
from jdgnn.emulation.state import State
from jdgnn.emulator import Emulator
from jdgnn.errors import InputError
from jdgnn.network.network import Network
from jdgnn.network.topology import topology
from jdgnn.protocol.replaying import Record, was_begun


class EventFiles(NamedTuple):
    """Where a run's events go to or come from; None for nowhere.

    Example:
      >>> EventFiles(replay=Path("nowhere.npz")).check(Path("run"))
      Traceback (most recent call last):
      jdgnn.errors.InputError: --replay: there is no file nowhere.npz; give one that --record has written
    """

    record: Path | None = None
    replay: Path | None = None
    overwrite: bool = False  # replace what an earlier run recorded

    def check(self, directory: Path) -> None:
        """Rejects files that cannot be written or read, without touching them.

        Args:
          directory: of the run.

        Raises:
          InputError: both are given; the one to record in exists, or has no place; the one to replay does not exist.
        """
        if self.record is not None and self.replay is not None:
            raise InputError(f"--record: got {self.record} together with --replay, whose events are on file; give one")
        if self.replay is not None and not self.replay.is_file():
            raise InputError(f"--replay: there is no file {self.replay}; give one that --record has written")
        if self.record is not None:
            self._check_record(self.record, directory)

    def _check_record(self, record: Path, directory: Path) -> None:
        if directory.resolve() in record.resolve().parents:
            raise InputError(f"--record: {record} is inside {directory}, the directory of the run; give another place")
        if not record.parent.is_dir():
            raise InputError(f"--record: there is no directory {record.parent}; make it, or give another place")
        if not record.exists():
            return
        if not self.overwrite:
            raise InputError(f"--record: {record} exists; give another name, or add --overwrite to replace it")
        try:
            Record(record)
        except InputError as error:
            if not was_begun(record):
                raise InputError(f"--overwrite: {record} is no record of events; give another --record") from error

    def check_fit(self, emulator: Emulator, network: Network, state: State, ticks: int) -> str | None:
        """Rejects a replay of events that were recorded on another network, for fewer ticks, or for other traffic.

        Returns:
          A clause about the way of the run that was recorded, if that is another; else None.

        Raises:
          InputError: the events do not fit.
        """
        if self.replay is None or not ticks:
            return None
        try:
            return Replay(self.replay, emulator.bound(network), topology(network), state, ticks).other_way()
        except InputError as error:
            raise InputError(f"--{error}") from error

    @property
    def remark(self) -> str:
        """What a configuration should say of a run that drew no events, as a comment."""
        return "" if self.replay is None else f"# run with --replay {str(self.replay)!r}\n"

    def clear(self) -> None:
        """Removes what is to be replaced."""
        if self.record is not None:
            self.record.unlink(missing_ok=True)


NO_EVENT_FILES = EventFiles()
