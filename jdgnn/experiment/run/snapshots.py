"""Snapshots: the embeddings of nodes at some ticks of a run, and their scores, to be looked at afterwards.

Axes: N nodes, n nodes that are kept, W columns of embeddings.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.experiment.config.schema import SnapshotsTable
from jdgnn.files import whole_file

SERIES = (1, 2, 3, 5, 8)
"""Of each power of ten: most is learned in the first ticks."""

OURS = re.compile(r"\d+\.npz|\.\d+\.npz\.partial", re.ASCII)
"""Names of files in the folder, complete or not."""

Arrays = dict[str, NDArray[Any]]


def ticks_due(table: SnapshotsTable, ticks: int) -> list[int]:
    """The ticks, up to the last, after which there is a snapshot; more ticks add some, and take none away.

    Args:
      table: what is asked for.
      ticks: how many the run has.

    Example:
      >>> ticks_due(SnapshotsTable(), 50)
      [1, 2, 3, 5, 8, 10, 20, 30, 50]
      >>> ticks_due(SnapshotsTable(every=20), 50)
      [20, 40]
    """
    if not table.nodes:
        return []
    if table.every is not None:
        return list(range(table.every, ticks + 1, table.every))
    powers = [10**exponent for exponent in range(len(str(ticks)))]
    return [first * power for power in powers for first in SERIES if first * power <= ticks]


def nodes_kept(num_nodes: int, most: int) -> NDArray[np.int64]:
    """Numbers of the nodes that snapshots keep [n], ascending: all, or as many as that, drawn always alike.

    >>> nodes_kept(4, 10).tolist(), len(nodes_kept(100, 10))
    ([0, 1, 2, 3], 10)
    """
    if num_nodes <= most:
        return np.arange(num_nodes)
    return np.sort(np.random.default_rng(0).choice(num_nodes, most, replace=False))


def packed(embeddings: NDArray[Any], nodes: NDArray[np.int64]) -> Arrays:
    """The embeddings of some nodes in half precision, relative to the largest entry.

    Args:
      embeddings: of all nodes [N, W].
      nodes: those to keep [n].

    Returns:
      `nodes` [n], `embeddings` [n, W] from −1 to 1, and the `scale` [] to multiply them by.

    Example:
      >>> packed(np.array([[1.0, -4.0], [2.0, 0.0]]), np.array([0]))["embeddings"].tolist()
      [[0.25, -1.0]]
    """
    kept = np.asarray(embeddings, np.float32)[nodes]
    scale = float(np.abs(kept).max(initial=0.0))
    return {
        "nodes": nodes.astype(np.int32),
        "embeddings": (kept / (scale or 1.0)).astype(np.float16),
        "scale": np.array(scale, np.float32),
    }


class Snapshots:
    """Files named after ticks, in one folder.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     snapshots = Snapshots(Path(folder) / "snapshots")
      ...     snapshots.write(20, {"age": np.zeros(3)})
      ...     snapshots.write(5, {"age": np.zeros(3)})
      ...     snapshots.keep([5])
      ...     list(snapshots.paths())
      [5]
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, tick: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Writes a snapshot, whole or not at all.

        Raises:
          OSError: it cannot be written.
        """
        self._folder.mkdir(exist_ok=True)
        with whole_file(self._folder / f"{tick}.npz") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    def paths(self) -> dict[int, Path]:
        """The files by tick, ascending."""
        entries = self._folder.iterdir() if self._folder.is_dir() and not self._folder.is_symlink() else ()
        found = {int(path.stem): path for path in entries if re.fullmatch(r"[1-9]\d{0,9}\.npz", path.name, re.ASCII)}
        return dict(sorted(found.items()))

    def keep(self, ticks: list[int]) -> None:
        """Removes snapshots of all other ticks, and what a killed process has left."""
        if self._folder.is_symlink():
            self._folder.unlink()
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            if OURS.fullmatch(path.name) and path.name not in {f"{tick}.npz" for tick in ticks}:
                path.unlink()

    def remove(self) -> None:
        """Removes the folder."""
        if self._folder.is_symlink():
            self._folder.unlink()
        elif self._folder.exists():
            shutil.rmtree(self._folder)
