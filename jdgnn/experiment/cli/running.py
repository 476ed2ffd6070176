"""Starts the runs that `jdgnn run` asks for."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from jdgnn.errors import InputError
from jdgnn.experiment.cli.console import lasting_console
from jdgnn.experiment.config.schema import read
from jdgnn.experiment.run.directory import CONFIG, REPORT, TENSORBOARD, RunDirectory, next_free
from jdgnn.experiment.run.event_files import EventFiles
from jdgnn.experiment.run.experiment import run_experiment
from jdgnn.experiment.run.interrupts import Interrupted, Interrupts, remembered_interrupts
from jdgnn.experiment.run.progress import stage
from jdgnn.experiment.run.seeds import SeedsDirectory, run_seeds, seeds_from


class Settings(NamedTuple):
    """Options of `jdgnn run` that new and resumed runs share."""

    config: Path | None  # None for that of the resumed run
    overrides: Sequence[str]
    data_root: Path | None
    files: EventFiles
    report: Callable[[Path, Console], None] | None
    accepts_other_way: bool
    tensorboard: str | None  # empty for the default place, None for no event files

    @property
    def board(self) -> Path | None:
        """The place of event files, relative to the directory of the run."""
        if self.tensorboard is None:
            return None
        return Path(self.tensorboard).absolute() if self.tensorboard else Path(TENSORBOARD)

    def check_no_event_files(self) -> None:
        """Rejects files of events where there are several seeds."""
        for option, file in (("--record", self.files.record), ("--replay", self.files.replay)):
            if file is not None:
                raise InputError(f"{option}: expected one run, got several seeds; {file} holds the events of one run")


def start(config: Path, out: Path | None, seeds: str | None, settings: Settings) -> None:
    """Runs a configuration in a new directory, once or with several seeds."""
    if seeds is not None:
        settings.check_no_event_files()
    resolved, console = read(config, settings.overrides), lasting_console()
    path = out or next_free(Path("runs"), name_of(config))
    overwrite, board, root = settings.files.overwrite, settings.board, settings.data_root
    if seeds is not None:
        several = SeedsDirectory(path, seeds_from(resolved.seed, seeds), overwrite=overwrite, tensorboard=board)
        with interruptible(several) as interrupts:
            run_seeds(resolved, several, console, data_root=root, interrupts=interrupts, report=settings.report)
        return
    single = RunDirectory(path, overwrite=overwrite, tensorboard=board)
    with interruptible(single) as interrupts:
        run_experiment(
            resolved,
            single,
            console,
            data_root=root,
            files=settings.files,
            interrupts=interrupts,
            report=settings.report,
            accepts_other_way=settings.accepts_other_way,
        )


@contextlib.contextmanager
def interruptible(directory: RunDirectory | SeedsDirectory) -> Iterator[Interrupts]:
    """Remembers Ctrl-C and SIGTERM, says after them what is kept, and closes the directory."""
    with contextlib.closing(directory):
        try:
            with remembered_interrupts() as interrupts:
                interrupts.on_leaving = directory.kept
                yield interrupts
        except Interrupted as interrupt:
            raise Interrupted(interrupt.signum, *directory.kept()) from interrupt


def try_report(path: Path, console: Console) -> None:
    """Writes the report of a run into its directory, or prints why there is none: a run must not fail by it."""
    from jdgnn.experiment.report.making import write_report  # plotly takes time to import

    try:
        with stage(console, "writing the report"):
            write_report([path], path / REPORT)
    except (InputError, OSError) as error:
        console.print(f"warning: no report was written ({error})", soft_wrap=True, markup=False)


def name_of(config: Path) -> str:
    """The name of runs of a configuration: that of its file, or of the run that wrote it."""
    return (config.name == CONFIG and config.resolve().parent.name) or config.stem
