"""The directory of one run: its configuration, its metrics, its summary and its embeddings."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError

CONFIG, METRICS, SUMMARY, EMBEDDINGS = "config.toml", "metrics.jsonl", "summary.json", "embeddings.npz"
FILES = (CONFIG, METRICS, SUMMARY, EMBEDDINGS)


class RunDirectory:
    r"""Writes the files of one run; each appears complete or not at all, but for the metrics, which grow line by line.

    Example:
      >>> import pathlib, tempfile
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     directory = RunDirectory(pathlib.Path(folder) / "run")
      ...     directory.create("seed = 0")
      ...     directory.add_metrics([{"tick": 1}])
      ...     (directory.path / "metrics.jsonl").read_text()
      '{"tick": 1}\n'
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path
        self._overwrite = overwrite

    def check(self) -> None:
        """Refuses a place that cannot be a new run directory, without touching it.

        Raises:
          InputError: there is a file of this name, or a directory with something in it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"--out: {self.path} is a file; give a directory that does not exist yet")
        if self.path.is_dir() and any(self.path.iterdir()) and not self._overwrite:
            raise InputError(
                f"--out: {self.path} exists and is not empty; give another directory, or add --overwrite to replace "
                "the run in it"
            )

    def create(self, config: str) -> None:
        """Makes the directory, removes the files of an earlier run if that was asked for, and writes the configuration.

        Raises:
          InputError: the directory cannot be made.
        """
        self.check()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for name in FILES:
                (self.path / name).unlink(missing_ok=True)
            self._write(CONFIG, config)
        except OSError as error:
            raise InputError(f"--out: {self.path} cannot be written ({error.strerror})") from error

    def add_metrics(self, rows: list[dict[str, Any]]) -> None:
        """Appends a line for each recorded tick."""
        with (self.path / METRICS).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row, allow_nan=False) + "\n" for row in rows)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Writes the summary as readable JSON."""
        self._write(SUMMARY, json.dumps(summary, indent=2, allow_nan=False) + "\n")

    def write_embeddings(self, **arrays: NDArray[Any]) -> None:
        """Writes arrays that `numpy.load` reads without pickle."""
        with self._complete_or_not_at_all(EMBEDDINGS) as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    def _write(self, name: str, text: str) -> None:
        with self._complete_or_not_at_all(name) as file:
            file.write(text.encode())

    @contextlib.contextmanager
    def _complete_or_not_at_all(self, name: str) -> Iterator[IO[bytes]]:
        partial = self.path / f".{name}.partial"
        try:
            with partial.open("wb") as file:
                yield file
            partial.replace(self.path / name)
        finally:
            partial.unlink(missing_ok=True)


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
