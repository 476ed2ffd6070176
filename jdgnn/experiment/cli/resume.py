"""Resumes the runs that `jdgnn run --resume` names: one, or several that differ in their seeds only."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from jdgnn.errors import InputError, printable
from jdgnn.experiment.cli.console import lasting_console
from jdgnn.experiment.cli.running import Settings, interruptible
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


def resume(path: Path, settings: Settings) -> None:
    """Resumes the run, or the runs with several seeds, in a directory."""
    console = lasting_console()
    if (path / ORIGIN).is_file() and not (path / CONFIG).exists() and "seeds" in read_origin(path):
        settings.check_no_event_files()
        several = SeedsDirectory(path, _seeds_of(path), tensorboard=settings.board)
        with interruptible(several) as interrupts:
            _resume_seeds(several, console, settings, interrupts)
    else:
        single = RunDirectory(path, tensorboard=settings.board)
        with interruptible(single) as interrupts:
            _resume_run(single, console, settings, interrupts)


def _resume_run(
    directory: RunDirectory, console: Console, settings: Settings, interrupts: Interrupts, seed: int | None = None
) -> dict[str, Any]:
    """Resumes a run, unless it is finished and no change is asked for; `seed` replaces that of the configuration."""
    origin, path = directory.open(), directory.path
    if is_finished(path) and settings.config is None and not settings.overrides:
        console.print(f"{path} is finished; for more ticks add --set emulation.ticks=N", soft_wrap=True, markup=False)
        summary = read_summary(path)
        directory.show_finished(summary)
        return summary
    check_format(path / CHECKPOINTS)
    config = read(settings.config or path / CONFIG, settings.overrides)
    config = config if seed is None else config.model_copy(update={"seed": seed})
    replay = _replayed(path, origin, settings.files.replay)
    if origin.get("recorded"):
        where = printable(str(origin["recorded"]))
        console.print(f"events from now on are not recorded in {where}", soft_wrap=True, markup=False)
    return run_experiment(
        config,
        directory,
        console,
        data_root=settings.data_root or origin_path(origin, "data_root"),
        files=EventFiles(replay=replay),
        interrupts=interrupts,
        resume=True,
        first=read(path / CONFIG) if settings.config else None,
        report=settings.report if seed is None else None,
        accepts_other_way=settings.accepts_other_way,
    )


def _replayed(path: Path, origin: Mapping[str, Any], given: Path | None) -> Path | None:
    """The file from which a run takes its events, if it does."""
    known = origin_path(origin, "replayed")
    if known is None:
        if given is not None:
            raise InputError(f"--replay: got {given}, and {path} draws its events; leave it out")
        return None
    replay = given or known
    if not replay.is_file():
        raise InputError(f"--replay: there is no file {replay}, from which {path} takes its events; give its new path")
    sums = origin.get("replayed_sums")
    if sums is not None and Record(replay).sums != sums:
        raise InputError(f"--replay: {replay} is not the file from which {path} takes its events; give that one")
    return replay


def _seeds_of(path: Path) -> list[int]:
    """The seeds that were asked for in a directory of runs with several."""
    seeds = read_origin(path)["seeds"]
    if not isinstance(seeds, list) or not seeds or not all(type(seed) is int and 0 <= seed < MOST for seed in seeds):
        raise InputError(f"--resume: {path / ORIGIN}: invalid seeds {seeds!r}; start again with --overwrite")
    if not any((path / f"seed-{seed}" / CONFIG).is_file() for seed in seeds):
        raise InputError(f"--resume: {path} holds no run that has begun; start again with --overwrite")
    return seeds


def _resume_seeds(directory: SeedsDirectory, console: Console, settings: Settings, interrupts: Interrupts) -> None:
    """Resumes runs that are not finished, and starts those that have not begun."""
    for override in settings.overrides:
        if override.partition("=")[0].strip() == "seed":
            raise InputError(
                f"--set: got {override} for runs with several seeds, which {directory.path} holds; leave it out"
            )
    begun = [run for run in directory.runs.values() if (run.path / CONFIG).is_file()]
    first = begun[0].path / CONFIG
    if len(begun) < len(directory.runs):
        backend = read(settings.config or first, settings.overrides).emulation.backend
        check_beside("--resume", {run.path: backend for run in begun}, is_accepted=settings.accepts_other_way)
    data_root = settings.data_root or origin_path(read_origin(begun[0].path), "data_root")

    def one(seed: int, run: RunDirectory) -> dict[str, Any]:
        if run in begun:
            return _resume_run(run, console, settings, interrupts, seed)
        run.allow_overwrite()  # its directory may hold files of a run that was killed before it began
        config = read(settings.config or first, settings.overrides).model_copy(update={"seed": seed})
        return run_experiment(config, run, console, data_root=data_root, interrupts=interrupts, first=read(first))

    directory.keep_earlier_runs()
    each_seed(directory, console, one, report=settings.report)
