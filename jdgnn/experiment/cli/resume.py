"""Runs that go on where they are: one, or several that differ in their seeds only."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from jdgnn.errors import InputError, printable
from jdgnn.experiment.config.schema import read
from jdgnn.experiment.results.read import is_finished, read_summary
from jdgnn.experiment.run.checkpoints import check_format
from jdgnn.experiment.run.directory import CHECKPOINTS, CONFIG, ORIGIN, RunDirectory, origin_path, read_origin
from jdgnn.experiment.run.event_files import EventFiles
from jdgnn.experiment.run.experiment import run_experiment
from jdgnn.experiment.run.interrupts import Interrupts
from jdgnn.experiment.run.seeds import MOST, SeedsDirectory, each_seed
from jdgnn.experiment.run.ways import check_beside
from jdgnn.protocol.replaying import Record


class Changes(NamedTuple):
    """What the command line says of a run that goes on.

    Attributes:
      config: a configuration that must be that of the run; None for the run's own.
      overrides: changes of it, each `key=value`.
      data_root: directory with a folder for each data set; None for that of the run.
      replay: where its events are now; None for where they were.
      report: what writes a page about it at the end, from its directory; None for none.
      accepts_other_way: whether it may go on in another way than before.
    """

    config: Path | None = None
    overrides: Sequence[str] = ()
    data_root: Path | None = None
    replay: Path | None = None
    report: Callable[[Path, Console], None] | None = None
    accepts_other_way: bool = False


def resume_run(
    directory: RunDirectory,
    console: Console,
    changes: Changes,
    interrupts: Interrupts | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Goes on with a run, or leaves it as it is if it is finished and nothing else is asked for.

    Args:
      directory: of the run; it is opened, and for the caller to close.
      console: where progress and the closing table are shown.
      changes: what is asked for.
      interrupts: what may end it.
      seed: to be put in place of that of a given configuration.

    Returns:
      The summary.

    Raises:
      InputError: it is no directory of a run, or cannot go on like this.
    """
    origin, path = directory.open(), directory.path
    if is_finished(path) and changes.config is None and not changes.overrides:
        console.print(f"{path} is finished; for more ticks add --set emulation.ticks=N", soft_wrap=True, markup=False)
        summary = read_summary(path)
        directory.show_finished(summary)
        return summary
    check_format(path / CHECKPOINTS)
    config = read(changes.config or path / CONFIG, changes.overrides)
    config = config if seed is None else config.model_copy(update={"seed": seed})
    replay = _replayed(path, origin, changes.replay)
    if origin.get("recorded"):
        where = printable(str(origin["recorded"]))
        console.print(f"what happens from now on is not recorded in {where}", soft_wrap=True, markup=False)
    return run_experiment(
        config,
        directory,
        console,
        data_root=changes.data_root or origin_path(origin, "data_root"),
        files=EventFiles(replay=replay),
        interrupts=interrupts,
        resume=True,
        first=read(path / CONFIG) if changes.config else None,
        report=changes.report if seed is None else None,
        accepts_other_way=changes.accepts_other_way,
    )


def _replayed(path: Path, origin: Mapping[str, Any], given: Path | None) -> Path | None:
    """The file that a run takes its events from, if it does."""
    known = origin_path(origin, "replayed")
    if known is None:
        if given is not None:
            raise InputError(f"--replay: got {given}, and {path} draws its events; leave it out")
        return None
    replay = given or known
    if not replay.is_file():
        raise InputError(
            f"--replay: there is no file {replay}, which {path} takes its events from; say where it is now"
        )
    sums = origin.get("replayed_sums")
    if sums is not None and Record(replay).sums != sums:
        raise InputError(f"--replay: {replay} is not the file that {path} takes its events from; give that one")
    return replay


def are_seeds(path: Path) -> bool:
    """Whether a directory is that of runs with several seeds."""
    return (path / ORIGIN).is_file() and not (path / CONFIG).exists() and "seeds" in read_origin(path)


def seeds_of(path: Path) -> list[int]:
    """The seeds that were asked for in a directory of runs with several.

    Raises:
      InputError: it does not say, or none has begun.
    """
    seeds = read_origin(path)["seeds"]
    if not isinstance(seeds, list) or not seeds or not all(type(seed) is int and 0 <= seed < MOST for seed in seeds):
        raise InputError(f"--resume: {path / ORIGIN} says {seeds!r} for seeds; start anew with --overwrite")
    if not any((path / f"seed-{seed}" / CONFIG).is_file() for seed in seeds):
        raise InputError(f"--resume: {path} holds no run that has begun; start anew with --overwrite")
    return seeds


def resume_seeds(
    directory: SeedsDirectory, console: Console, changes: Changes, interrupts: Interrupts | None = None
) -> dict[str, Any]:
    """Goes on with runs that are not finished, and runs those that have not begun.

    Args:
      directory: of the runs, with all seeds that were asked for.
      console: where progress and the closing tables are shown.
      changes: what is asked for, of every run.
      interrupts: what may end it.

    Returns:
      What `seeds.json` says.

    Raises:
      InputError: a run cannot go on like this; those that are finished are kept.
    """
    for override in changes.overrides:
        if override.partition("=")[0].strip() == "seed":
            raise InputError(
                f"--set: got {override} for runs with several seeds, which {directory.path} holds; leave it out"
            )
    begun = [run for run in directory.runs.values() if (run.path / CONFIG).is_file()]
    if len(begun) < len(directory.runs):
        kernels = read(changes.config or begun[0].path / CONFIG, changes.overrides).emulation.kernels
        check_beside("--resume", {run.path: kernels for run in begun}, is_accepted=changes.accepts_other_way)
    data_root = origin_path(read_origin(begun[0].path), "data_root")

    def one(seed: int, run: RunDirectory) -> dict[str, Any]:
        if run in begun:
            return resume_run(run, console, changes, interrupts, seed)
        run.begin_anew()  # what a run has left that never began
        first = begun[0].path / CONFIG
        config = read(changes.config or first, changes.overrides).model_copy(update={"seed": seed})
        root = changes.data_root or data_root
        return run_experiment(config, run, console, data_root=root, interrupts=interrupts, first=read(first))

    directory.keep_earlier_runs()
    return each_seed(directory, console, one, report=changes.report)
