"""Loads a finished run from its directory."""

from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jdgnn.emulation.checkpoint import digest
from jdgnn.emulation.history import History, from_rows
from jdgnn.emulation.state import State
from jdgnn.emulator import Emulator
from jdgnn.errors import InputError
from jdgnn.experiment.config.schema import Config, read
from jdgnn.experiment.results.metrics_rows import sound_rows
from jdgnn.experiment.results.read import is_finished, read_config, read_summary, run_folders
from jdgnn.experiment.results.reading import reading
from jdgnn.experiment.run.checkpoints import Checkpoints
from jdgnn.experiment.run.directory import CHECKPOINTS, CONFIG, METRICS, SUMMARY, origin_path, read_origin
from jdgnn.experiment.run.experiment import make_emulator
from jdgnn.experiment.run.preparing import load
from jdgnn.experiment.run.resume import check_files, check_same, checked_notes
from jdgnn.experiment.sweep.record import check_no_sweep
from jdgnn.network.network import Network


class Run(NamedTuple):
    """A finished run, as `jdgnn.load_run` gives it.

    Attributes:
      path: its directory.
      emulator: the emulator that ran.
      network: the nodes and links it ran on, without those that were held out, with the splits of its scores.
      state: all nodes after the last tick. `jdgnn.run` continues from it, and consumes it.
      history: all records.
      embeddings: those that nodes hold at the end, all layers side by side [N, W].
      summary: the content of `summary.json`, with the scores of all tasks.
    """

    path: Path
    emulator: Emulator
    network: Network
    state: State
    history: History
    embeddings: NDArray[np.floating]
    summary: dict[str, Any]

    def __repr__(self) -> str:
        """The directory, the network, the seed and the ticks."""
        return f"Run('{self.path}': {self.network.name}, seed {self.summary['seed']}, {int(self.state.tick)} ticks)"


def load_run(
    path: str | PathLike[str], *, seed: int | None = None, data_root: str | PathLike[str] | None = None
) -> Run:
    """Reads a finished run from the directory that `jdgnn run` has made.

    The network is loaded or generated again, and the state is that of the last checkpoint, to the bit.

    Args:
      path: the directory of the run, or of runs with several seeds.
      seed: which of several seeds; it may be left out where there is one.
      data_root: directory with a folder for each data set; by default the one that the run was given, if any.

    Returns:
      The run.

    Raises:
      InputError: it is no such directory, the run is not finished, or has kept no checkpoint of its end; or a file of
        it, or of its network, is damaged, missing or no longer the same.

    Example:
      >>> import jdgnn
      >>> jdgnn.load_run("runs/nowhere")
      Traceback (most recent call last):
      jdgnn.errors.InputError: runs/nowhere: there is no such directory; give one that jdgnn run has made
    """
    folder = _folder(_as_path("path", path), seed)
    if not is_finished(folder):
        raise InputError(f"{folder}: its run is not finished; finish it first: jdgnn run --resume {folder}")
    try:
        return _loaded(folder, None if data_root is None else _as_path("data_root", data_root))
    except InputError as error:
        raise InputError(str(error).removeprefix("--resume: ")) from error  # resuming reads a run by the same functions


def _as_path(argument: str, given: Any) -> Path:
    if not isinstance(given, str | PathLike) or "\0" in str(given):
        raise InputError(f"{argument}: expected the path of a directory, got {given!r}")
    return Path(given)


def _folder(path: Path, seed: int | None) -> Path:
    """The directory of the run with this seed."""
    check_no_sweep(path)
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int | np.integer)):
        raise InputError(f"seed: expected a whole number, got {seed!r}")
    folders = run_folders(path)
    if folders == [path]:
        seeds = {str(read(path / CONFIG, warn=False).seed): path}
    else:
        seeds = {one.name.removeprefix("seed-"): one for one in folders}
    if seed is None and len(seeds) == 1:
        return folders[0]
    if str(seed) not in seeds:
        raise InputError(f"seed: expected one of {', '.join(seeds)}, which {path} holds, got {seed}")
    return seeds[str(seed)]


def _loaded(folder: Path, data_root: Path | None) -> Run:
    config, origin, summary = read(folder / CONFIG, warn=False), read_origin(folder), read_summary(folder)
    check_files(config, origin)
    network = load(config, data_root or origin_path(origin, "data_root")).network
    emulator = make_emulator(config)
    state = _last_state(folder, config, emulator, network)
    if summary.get("digest") != digest(state):
        raise InputError(f"{folder}: its checkpoint does not hold the state of its {SUMMARY}; repeat the run")
    embeddings = emulator.embeddings(state)
    history = _history(folder, config, embeddings.dtype)
    return Run(folder, emulator, network, state, history, embeddings, summary)


def _last_state(folder: Path, config: Config, emulator: Emulator, network: Network) -> State:
    ticks, remarks = config.emulation.ticks, list[str]()
    checkpoints = Checkpoints(folder / CHECKPOINTS, config.checkpoints)
    if not checkpoints.paths():
        advice = "repeat the run with checkpoints.keep of at least 1, and checkpoints.at_end"
        raise InputError(f"{folder}: it has no checkpoint, so its state is lost; {advice}")
    try:
        kept = checkpoints.newest(emulator, network, remarks.append)
    except InputError as error:
        if not remarks:
            raise
        raise InputError(f"{folder}: its state is lost, since {'; '.join(remarks)}; repeat the run") from error
    assert kept is not None  # there is a checkpoint
    check_same(folder, read_config(folder), checked_notes(folder, kept.notes)["config"])
    if int(kept.state.tick) != ticks:
        reason = f", since {'; '.join(remarks)}" if remarks else " (checkpoints.at_end was false)"
        raise InputError(
            f"{folder}: expected a checkpoint of tick {ticks}, the last, and the newest that can be read is of tick "
            f"{int(kept.state.tick)}{reason}; repeat the run"
        )
    return kept.state


def _history(folder: Path, config: Config, dtype: Any) -> History:
    rows = list(sound_rows(folder / METRICS))
    if not rows or rows[-1]["tick"] != config.emulation.ticks:
        last = f"records up to tick {rows[-1]['tick']}" if rows else "none"
        raise InputError(
            f"{folder / METRICS}: expected valid records up to tick {config.emulation.ticks}, got {last}; repeat it"
        )
    with reading(folder / METRICS):
        return from_rows(rows, dtype)
