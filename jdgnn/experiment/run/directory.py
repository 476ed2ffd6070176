"""The directory of one run: its configuration, its metrics, its summary, its arrays and its checkpoints."""

import contextlib
import errno
import functools
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.experiment.results.metrics_rows import sound_rows
from jdgnn.experiment.run.locks import LOCK, locked
from jdgnn.experiment.run.snapshots import Snapshots
from jdgnn.experiment.run.tensorboard import Board
from jdgnn.files import partial_name, read_bytes, whole_file, write_json

CONFIG, METRICS, SUMMARY = "config.toml", "metrics.jsonl", "summary.json"
EMBEDDINGS, NODES, NETWORK = "embeddings.npz", "nodes.npz", "network.npz"
ORIGIN, REPORT = "run.json", "report.html"
CHECKPOINTS, SNAPSHOTS, TENSORBOARD = "checkpoints", "snapshots", "tensorboard"
FILES = (CONFIG, METRICS, SUMMARY, EMBEDDINGS, NODES, ORIGIN, NETWORK, REPORT)
OTHERS = (CHECKPOINTS, SNAPSHOTS, TENSORBOARD, LOCK)
MOST_ORIGIN = 2**20
"""Bytes of it."""


class RunDirectory:
    r"""Writes the files of one run; each appears complete or not at all, but for the metrics, which grow line by line.

    Args:
      path: of the directory.
      overwrite: whether a run that it holds may be replaced.
      tensorboard: where event files are written as well, seen from the directory; None for nowhere, or, for a
        resumed run, where it has been written so far.

    Example:
      >>> import pathlib, tempfile
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     directory = RunDirectory(pathlib.Path(folder) / "run")
      ...     directory.create("seed = 0", {})
      ...     directory.add_metrics([{"tick": 1}])
      ...     directory.close()
      ...     (directory.path / "metrics.jsonl").read_text()
      '{"tick": 1}\n'
    """

    def __init__(self, path: Path, *, overwrite: bool = False, tensorboard: Path | None = None) -> None:
        self.path = path
        self.is_made = False
        self._tensorboard = tensorboard
        self._overwrite = overwrite
        self._lock = contextlib.ExitStack()
        self._metrics_size: int | None = None  # bytes that this run has left of them; None if that is not known

    @property
    def snapshots(self) -> Snapshots:
        """Those of the run."""
        return Snapshots(self.path / SNAPSHOTS)

    @functools.cached_property
    def board(self) -> Board | None:
        """The event files of the run, if any are asked for."""
        return None if self._tensorboard is None else Board(self.path / self._tensorboard)

    def check(self) -> None:
        """Rejects a place that cannot be a new run directory, without touching it.

        Raises:
          InputError: there is a file of this name, a directory with something in it (for `overwrite`, something else
            than a run), or no right to write there.
        """
        if not _is_text(self.path):
            raise InputError(f"--out: {str(self.path)!r} is not UTF-8; give another name")
        check_no_link("--out", self.path)
        try:
            self._check_content()
            path = self.path.absolute()
            place = next(place for place in (path, *path.parents) if place.exists())
        except OSError as error:
            raise self._not_writable(error) from error
        if not place.is_dir():
            raise InputError(f"--out: {self.path} is inside {place}, which is a file; give another directory")
        if not os.access(place, os.W_OK | os.X_OK):
            raise InputError(f"--out: {self.path} cannot be written (no right to write in {place}); give another one")
        self._check_board(may_exist=self._overwrite)

    def _check_board(self, *, may_exist: bool) -> None:
        if self.board is None:
            return
        folder, path = self.board.folder.resolve(), self.path.resolve()
        if folder.is_relative_to(path) and folder != path / TENSORBOARD:
            raise InputError(
                f"--tensorboard: {folder} is inside {self.path}; leave the directory out, or give another one"
            )
        self.board.check(may_exist=may_exist)

    def _check_content(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"--out: {self.path} is a file; give a directory that does not exist yet")
        names = {path.name for path in self.path.iterdir()} if self.path.is_dir() else set()
        names -= {LOCK, *map(partial_name, FILES)}
        if names and not self._overwrite:
            raise InputError(
                f"--out: {self.path} exists and is not empty; give another directory, or add --overwrite to replace "
                "the run in it"
            )
        others = sorted(names - {*FILES, *OTHERS})
        if names and (others or not {CONFIG, ORIGIN} & names):
            reason = f"it holds {others[0]}" if others else f"it holds no {CONFIG}"
            raise InputError(f"--overwrite: {self.path} is not the directory of a run, as {reason}; give another --out")

    def create(self, config: str, origin: Mapping[str, Any]) -> None:
        """Makes the directory, removes the files of an earlier run if that was asked for, and writes the configuration.

        Args:
          config: the configuration, as TOML.
          origin: what else is needed to resume the run.

        Raises:
          InputError: the directory cannot be made, or another process uses it.
        """
        self.check()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.enter_context(locked(self.path))
            self._clear()
            if self.board is not None:
                self.board.clear()
            self.write_origin(origin)
            self.write_config(config)
        except OSError as error:
            raise self._not_writable(error) from error
        self.is_made, self._metrics_size = True, 0

    def open(self) -> dict[str, Any]:
        """Takes up the directory of a run that has begun, and gives its origin.

        Raises:
          InputError: it is no such directory, or another process uses it.
        """
        check_no_link("--resume", self.path)
        if not self.path.is_dir():
            what = "is a file" if self.path.exists() else "there is no such directory"
            raise InputError(f"--resume: {self.path}: {what}; give the directory of a run")
        missing = [name for name in (CONFIG, ORIGIN) if not (self.path / name).is_file()]
        if missing:
            raise InputError(
                f"--resume: {self.path} holds no {missing[0]}; give the directory of a run that has begun, or start it "
                "again with --overwrite"
            )
        try:
            self._lock.enter_context(locked(self.path))
            origin = read_origin(self.path)
        except OSError as error:
            raise InputError(f"--resume: {self.path} cannot be used ({error.strerror})") from error
        known = origin_path(origin, TENSORBOARD)
        self._tensorboard = self._tensorboard or known
        self._check_board(may_exist=self._tensorboard == known)
        self.is_made = True
        return origin

    def allow_overwrite(self) -> None:
        """Says that what is there may be replaced."""
        self._overwrite = True

    def close(self) -> None:
        """Lets other processes use the directory."""
        try:
            if self.board is not None:
                self.board.close()
        finally:
            self._lock.close()

    def write_origin(self, origin: Mapping[str, Any]) -> None:
        """Writes what else is needed to resume the run."""
        where = {} if self._tensorboard is None else {TENSORBOARD: str(self._tensorboard)}
        write_json(self.path / ORIGIN, {**origin, **where})

    def write_config(self, config: str) -> None:
        """Writes the configuration, a TOML text."""
        with whole_file(self.path / CONFIG) as file:
            file.write(config.encode())
        if self.board is not None:
            self.board.begin(config)

    def remove(self) -> None:
        """Removes the run and its directory.

        Raises:
          InputError: it is not the directory of a run.
        """
        self._check_content()
        with locked(self.path):
            self._clear()
        (self.path / LOCK).unlink(missing_ok=True)
        self.path.rmdir()

    def files(self) -> list[str]:
        """Names of the files that are there, and of the folder of snapshots."""
        return [name for name in (*FILES, SNAPSHOTS) if (self.path / name).exists()]

    def kept(self) -> list[str]:
        """What to say of a run that ends early: where what it wrote is, if it wrote anything."""
        if not self.is_made:
            return []
        if not self._is_there():
            return [self._lost()]
        return [f"everything recorded so far is in {self.path}", f"to resume it: jdgnn run --resume {self.path}"]

    def _clear(self) -> None:
        if (self.path / CHECKPOINTS).is_symlink():
            (self.path / CHECKPOINTS).unlink()
        elif (self.path / CHECKPOINTS).exists():
            shutil.rmtree(self.path / CHECKPOINTS)
        self.snapshots.remove()
        if (self.path / TENSORBOARD).is_symlink():
            (self.path / TENSORBOARD).unlink()
        elif (self.path / TENSORBOARD).exists():
            shutil.rmtree(self.path / TENSORBOARD)
        for name in reversed(FILES):  # the configuration last, as it tells that this is a run
            (self.path / name).unlink(missing_ok=True)
            (self.path / partial_name(name)).unlink(missing_ok=True)

    def _not_writable(self, error: OSError) -> InputError:
        return InputError(f"--out: {self.path} cannot be written ({error.strerror}); give another directory")

    @contextlib.contextmanager
    def writing(self, what: str, tick: int) -> Iterator[None]:
        """Says what could not be written, and what to do, if something cannot.

        Raises:
          OSError: that is so.
        """
        try:
            if self.is_made and not self._is_there():
                raise FileNotFoundError(errno.ENOENT, f"{CONFIG} or {ORIGIN} is gone")
            yield
        except OSError as error:
            reason = error.strerror or error
            raise OSError(
                f"{what} could not be written at tick {tick} in {self.path} ({reason}); {self._advice()}"
            ) from error

    def _is_there(self) -> bool:
        """Whether the directory is still that of this run, and could be resumed."""
        return (self.path / CONFIG).is_file() and (self.path / ORIGIN).is_file()

    def _lost(self) -> str:
        return f"{self.path} was emptied, moved or removed while the run wrote into it: nothing there can be resumed"

    def _advice(self) -> str:
        """What to do once something could not be written, by what is there."""
        if not self._is_there():
            return f"{self._lost()}; start the run again"
        checkpoints = self.path / CHECKPOINTS
        if checkpoints.is_dir() and any(path.name.isdigit() for path in checkpoints.iterdir()):
            return f"checkpoints from before are whole: mend that, then jdgnn run --resume {self.path}"
        return f"there is no checkpoint yet: mend that, then jdgnn run --resume {self.path} begins at the first tick"

    def add_metrics(self, rows: list[dict[str, Any]]) -> None:
        """Appends a line for each recorded tick.

        Raises:
          OSError: they cannot be written, or earlier ones are not what this run has left.
        """
        with (self.path / METRICS).open("ab") as file:
            if self._metrics_size not in (None, file.tell()):
                raise OSError(errno.EIO, f"{METRICS} has {file.tell()} bytes, and this run left {self._metrics_size}")
            file.writelines(_line(row).encode() for row in rows)
            self._metrics_size = file.tell()
        if self.board is not None:
            self.board.add(rows)

    def add_scores(self, tick: int, figures: Mapping[str, float]) -> None:
        """Writes the scores after a tick to event files, by tags; snapshots hold them as well."""
        if self.board is not None:
            self.board.add_figures(tick, figures)

    def sync_metrics(self) -> None:
        """Has the metrics so far safe on disk."""
        if (self.path / METRICS).exists():
            with (self.path / METRICS).open("ab") as file:
                os.fsync(file.fileno())

    def metrics_until(self, tick: int, record_every: int, end: int) -> list[dict[str, Any]]:
        """The rows that a run resumed from a tick has, without half of a line and what came later.

        Args:
          tick: where it is resumed.
          record_every: ticks whose number is a multiple of this are recorded,
          end: and this one.

        Raises:
          InputError: a row is missing, or is invalid.
        """
        path = self.path / METRICS
        rows = {row["tick"]: row for row in sound_rows(path) if row["tick"] <= tick}
        rows = {found: row for found, row in rows.items() if found % record_every == 0 or found == end}
        missing = [due for due in range(record_every, tick + 1, record_every) if due not in rows]
        if missing or (tick == end and tick not in rows):
            lost = missing[0] if missing else tick
            raise InputError(
                f"--resume: {path} has no sound line of tick {lost}; ask for more ticks, or start the run again"
            )
        return list(rows.values())

    def write_metrics(self, rows: list[dict[str, Any]], tick: int) -> None:
        """Writes the metrics of a run again that is resumed after a tick."""
        with whole_file(self.path / METRICS) as file:
            file.writelines(_line(row).encode() for row in rows)
            self._metrics_size = file.tell()
        if self.board is not None:
            self.board.go_on(rows, tick)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Writes the summary as readable JSON."""
        write_json(self.path / SUMMARY, summary)
        if self.board is not None and summary.get("finished"):
            self.board.finish((self.path / CONFIG).read_text(encoding="utf-8"), summary)

    def show_finished(self, summary: Mapping[str, Any]) -> None:
        """Writes event files of a run that is finished, if they are asked for and there are none.

        Raises:
          InputError: its files cannot be read.
        """
        if self.board is not None and not self.board.files:
            config = (self.path / CONFIG).read_text(encoding="utf-8")
            self.write_origin(read_origin(self.path))
            self.board.begin(config)
            self.board.add(list(sound_rows(self.path / METRICS)))
            self.board.finish(config, summary)

    def write_arrays(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Writes arrays to the file of this name; `numpy.load` reads them without pickle."""
        with whole_file(self.path / name) as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)


def check_no_link(option: str, path: Path) -> None:
    """Rejects a directory that is a link to another place: what is written would land there.

    Args:
      option: what names the directory, for messages.
      path: the directory.

    Raises:
      InputError: it is one.
    """
    if os.path.islink(path):  # false also where a name is too long, which the one who makes it tells
        raise InputError(f"{option}: {path} is a symbolic link to {path.readlink()}; give the directory itself")


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, allow_nan=False) + "\n"


def read_origin(folder: Path) -> dict[str, Any]:
    """What the directory of a run, or of runs with several seeds, says of how it came to be.

    Raises:
      InputError: that is invalid.
    """
    try:
        origin = json.loads(read_bytes(folder / ORIGIN, MOST_ORIGIN).decode())
    except OSError as error:
        raise InputError(f"--resume: {folder / ORIGIN} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"--resume: {folder / ORIGIN} is no valid JSON ({error}); start again with --overwrite"
        ) from error
    if not isinstance(origin, dict):
        raise InputError(f"--resume: {folder / ORIGIN} is no table; start again with --overwrite")
    return origin


def origin_path(origin: Mapping[str, Any], name: str) -> Path | None:
    """A path in `run.json`, or None.

    Raises:
      InputError: it is none.
    """
    value = origin.get(name)
    if value is not None and (not isinstance(value, str) or "\0" in value):
        raise InputError(f"--resume: run.json: expected a path for {name}, got {value!r}; start the run again")
    return Path(value) if value else None


def next_free(folder: Path, stem: str) -> Path:
    """The first of `folder/stem-1`, `folder/stem-2`, … that does not exist.

    Example:
      >>> next_free(Path("no such folder"), "cora").name
      'cora-1'
    """
    number = 1
    while (folder / f"{stem}-{number}").exists():
        number += 1
    return folder / f"{stem}-{number}"


def seed_folders(path: Path) -> list[Path]:
    """The directories `seed-N` in a directory, by ascending N.

    >>> seed_folders(Path("no such folder"))
    []
    """
    folders = [entry for entry in path.iterdir() if entry.is_dir()] if path.is_dir() else []
    numbers = {entry: re.fullmatch(r"seed-(0|[1-9]\d*)", entry.name, re.ASCII) for entry in folders}
    return sorted((entry for entry in folders if numbers[entry]), key=lambda entry: int(entry.name.split("-")[1]))


def _is_text(path: Path) -> bool:
    """Whether a path can be written down."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
