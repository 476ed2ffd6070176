"""`jdgnn run`: one configuration, one run or several seeds of it."""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path

from jdgnn.errors import InputError
from jdgnn.experiment.cli.console import lasting_console
from jdgnn.experiment.cli.help import Commands, add_command
from jdgnn.experiment.cli.options import add_data_root
from jdgnn.experiment.cli.reporting import try_report
from jdgnn.experiment.cli.resume import Changes, are_seeds, resume_run, resume_seeds, seeds_of
from jdgnn.experiment.config.schema import Config, read
from jdgnn.experiment.run.compilation_cache import keep_programs
from jdgnn.experiment.run.directory import CONFIG, TENSORBOARD, RunDirectory, next_free
from jdgnn.experiment.run.event_files import EventFiles
from jdgnn.experiment.run.experiment import run_experiment
from jdgnn.experiment.run.interrupts import Interrupted, Interrupts, remembered_interrupts
from jdgnn.experiment.run.seeds import SeedsDirectory, run_seeds, seeds_from
from jdgnn.experiment.run.ways import FLAG

EXAMPLES = {
    "jdgnn run quickstart": "learn on handwritten digits, linked to their nearest neighbours, and judge "
    "what was learned",
    "jdgnn run cora --data-root data --out runs/cora": "the same on a citation network, read from "
    "data/cora (or downloaded, if no data root is given)",
    "jdgnn run cora --set emulation.ticks=50 --set seed=3": "change any key of the configuration; layers "
    "are counted from 0: --set layers.0.units=32",
    "jdgnn run quickstart --seeds 5 --out runs/a": "five runs, with seeds 0 to 4",
    "jdgnn run runs/cora/config.toml": "repeat a run: its directory holds the whole configuration",
    "jdgnn run --resume runs/cora": "go on with a run that was interrupted or killed, to the same bits as if it had "
    "not been",
    "jdgnn run --resume runs/cora --set emulation.ticks=500": "give a finished run more ticks",
    "jdgnn run cora-async --record events.npz": "keep all random events, for another algorithm to meet:",
    "jdgnn run cora-async --replay events.npz --set gossip.merge=adopt": "the very same losses, delays, "
    "absences and partners",
}


def add(commands: Commands) -> None:
    """Adds the command `run`."""
    run = add_command(
        commands,
        "run",
        help="run a configuration",
        description="Runs a configuration, judges the embeddings, and writes everything into a new directory.",
        examples=EXAMPLES,
        epilog="The directory gets config.toml (everything resolved), metrics.jsonl (a line per recorded tick), "
        "summary.json, embeddings.npz, nodes.npz (what each node did), network.npz, snapshots/ (embeddings over time), "
        "checkpoints/ (to go on from) and report.html (all of it, to look at). With --seeds it gets such a directory "
        "for each seed, seed-0 and so on, seeds.json (mean and sd over seeds; gains on each baseline) and one report.",
    )
    run.add_argument(
        "config",
        type=Path,
        metavar="CONFIG",
        nargs="?",
        help="a TOML file, or the name of one that jdgnn configs lists",
    )
    run.add_argument(
        "--resume",
        type=Path,
        metavar="DIR",
        help="go on with the run in this directory from its newest checkpoint; its configuration must be the same, but "
        "for emulation.ticks",
    )
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a key of the configuration, for example emulation.ticks=50; may be repeated",
    )
    run.add_argument(
        "--out", type=Path, metavar="DIR", help="directory of the run (default: runs/NAME-1, or the next number)"
    )
    run.add_argument(
        "--seeds", metavar="N", help="run N times, with the configuration's seed, the one after it, and so on"
    )
    run.add_argument("--overwrite", action="store_true", help="replace what --out and --record already hold")
    run.add_argument(
        "--no-report",
        dest="report",
        action="store_false",
        help="do not write report.html, a page about the run, at the end",
    )
    run.add_argument("--record", type=Path, metavar="FILE", help="write all random events to this file")
    run.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="take the random events from this file, so that another algorithm meets the same fate",
    )
    run.add_argument(
        "--compilation-cache",
        type=Path,
        metavar="DIR",
        help="keep compiled programs here, so that the next run of the same kind need not compile them",
    )
    run.add_argument(
        FLAG,
        dest="accepts_other_way",
        action="store_true",
        help="with --resume or --replay: also where compiled kernels were used and now are not, or the other way "
        "round, which changes the last bits and is recorded",
    )
    run.add_argument(
        "--tensorboard",
        nargs="?",
        type=Path,
        const=True,
        metavar="DIR",
        help="write event files for TensorBoard too, into this directory (default: tensorboard in that of the run); "
        "write it after CONFIG",
    )
    add_data_root(run)
    run.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> None:
    if arguments.resume is not None:
        _resume(arguments)
        return
    if arguments.config is None:
        if isinstance(arguments.tensorboard, Path) and arguments.tensorboard.is_file():
            raise InputError(f"--tensorboard: got the file {arguments.tensorboard}; write --tensorboard after CONFIG")
        raise InputError("CONFIG: is missing; give a TOML file, or --resume DIR to go on with a run")
    if arguments.overwrite and arguments.out is None and arguments.record is None:
        raise InputError("--overwrite: got no --out, and without one a new directory is made; add --out DIR")
    if arguments.seeds is not None:
        _check_no_event_files(arguments)
    if arguments.compilation_cache is not None:
        keep_programs(arguments.compilation_cache)
    config = read(arguments.config, arguments.set)
    path = arguments.out or next_free(Path("runs"), _name(arguments.config))
    (_run_once if arguments.seeds is None else _run_seeds)(arguments, config, path)


def _run_once(arguments: argparse.Namespace, config: Config, path: Path) -> None:
    files = EventFiles(record=arguments.record, replay=arguments.replay, overwrite=arguments.overwrite)
    directory = RunDirectory(path, overwrite=arguments.overwrite, tensorboard=_tensorboard(arguments))
    with contextlib.closing(directory), _interrupts(directory) as interrupts:
        run_experiment(
            config,
            directory,
            lasting_console(),
            data_root=arguments.data_root,
            files=files,
            interrupts=interrupts,
            report=try_report if arguments.report else None,
            accepts_other_way=arguments.accepts_other_way,
        )


def _run_seeds(arguments: argparse.Namespace, config: Config, path: Path) -> None:
    seeds = seeds_from(config.seed, arguments.seeds)
    directory = SeedsDirectory(path, seeds, overwrite=arguments.overwrite, tensorboard=_tensorboard(arguments))
    with contextlib.closing(directory), _interrupts(directory) as interrupts:
        run_seeds(
            config,
            directory,
            lasting_console(),
            data_root=arguments.data_root,
            interrupts=interrupts,
            report=try_report if arguments.report else None,
        )


def _resume(arguments: argparse.Namespace) -> None:
    for option in ("out", "overwrite", "seeds", "record"):
        if getattr(arguments, option):
            raise InputError(f"--{option}: has no meaning together with --resume, which goes on where a run is")
    if arguments.compilation_cache is not None:
        keep_programs(arguments.compilation_cache)
    changes = Changes(
        arguments.config,
        arguments.set,
        arguments.data_root,
        arguments.replay,
        try_report if arguments.report else None,
        arguments.accepts_other_way,
    )
    if are_seeds(arguments.resume):
        _check_no_event_files(arguments)
        runs = SeedsDirectory(arguments.resume, seeds_of(arguments.resume), tensorboard=_tensorboard(arguments))
        with contextlib.closing(runs), _interrupts(runs) as interrupts:
            resume_seeds(runs, lasting_console(), changes, interrupts)
        return
    directory = RunDirectory(arguments.resume, tensorboard=_tensorboard(arguments))
    with contextlib.closing(directory), _interrupts(directory) as interrupts:
        resume_run(directory, lasting_console(), changes, interrupts)


@contextlib.contextmanager
def _interrupts(directory: RunDirectory | SeedsDirectory) -> Iterator[Interrupts]:
    """Gives what remembers Ctrl-C and SIGTERM; after them, says what is kept."""
    try:
        with remembered_interrupts() as interrupts:
            interrupts.on_leaving = directory.kept
            yield interrupts
    except Interrupted as interrupt:
        raise Interrupted(interrupt.signum, *directory.kept()) from interrupt


def _check_no_event_files(arguments: argparse.Namespace) -> None:
    for option, file in (("--record", arguments.record), ("--replay", arguments.replay)):
        if file is not None:
            raise InputError(
                f"{option}: got {file} for runs with several seeds, and a file holds the events of one run; leave it "
                "out, or do one run at a time"
            )


def _tensorboard(arguments: argparse.Namespace) -> Path | None:
    """Where event files go, seen from the directory of the run."""
    if arguments.tensorboard is True:
        return Path(TENSORBOARD)
    return arguments.tensorboard and arguments.tensorboard.absolute()


def _name(config: Path) -> str:
    """What to call runs of a configuration: after its file, or the run it was written by."""
    return (config.name == CONFIG and config.resolve().parent.name) or config.stem
