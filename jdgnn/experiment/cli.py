"""The command line: `jdgnn run`, `jdgnn compare`, `jdgnn datasets list`."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

import jdgnn
from jdgnn.errors import InputError
from jdgnn.experiment.compare import compare
from jdgnn.experiment.comparison_tables import print_comparison
from jdgnn.experiment.compilation_cache import keep_programs
from jdgnn.experiment.config import Config, read
from jdgnn.experiment.event_files import EventFiles
from jdgnn.experiment.going_on import Changes, are_seeds, resume_run, resume_seeds, seeds_of
from jdgnn.experiment.interrupts import Interrupted, Interrupts, remembered_interrupts
from jdgnn.experiment.lasting_console import lasting_console
from jdgnn.experiment.run_directory import CONFIG, RunDirectory, next_free
from jdgnn.experiment.runner import run_experiment
from jdgnn.experiment.seeds import SeedsDirectory, run_seeds, seeds_from
from jdgnn.experiment.tables import datasets_table, print_table
from jdgnn.experiment.whole_files import write_json

INTERRUPTED = (129, 130, 143)

DESCRIPTION = "Emulates a decentralised graph neural network: every node of a network trains its own model."

EXAMPLES = """\
examples:
  jdgnn run configs/quickstart.toml
      learn on handwritten digits, linked to their nearest neighbours, and judge what was learned
  jdgnn run configs/cora.toml --data-root data --out runs/cora
      the same on a citation network, read from data/cora (or downloaded, if no data root is given)
  jdgnn run configs/cora.toml --set emulation.ticks=50 --set seed=3
      change any key of the configuration; layers are counted from 0: --set layers.0.units=32
  jdgnn run runs/cora/config.toml
      repeat a run: its directory holds the whole configuration
  jdgnn run --resume runs/cora
      go on with a run that was interrupted or killed, to the same bits as if it had not been
  jdgnn run --resume runs/cora --set emulation.ticks=500
      give a finished run more ticks
  jdgnn run configs/cora-async.toml --record events.npz
  jdgnn run configs/cora-async.toml --set gossip.merge=age_weighted --replay events.npz
      compare two algorithms on the very same losses, delays, absences and partners
  jdgnn run configs/cora.toml --seeds 5 --out runs/a
  jdgnn run configs/cora.toml --seeds 5 --set push.fanout=8 --out runs/b
  jdgnn compare runs/a runs/b
      two variants, each with seeds 0 to 4: by how much they differ, in pairs by seed and split, and in which keys
  jdgnn datasets list
      networks to choose from, and where each would be read from

A configuration is a TOML file; the commented ones in configs/ explain every table.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
      argv: arguments after the program's name; if None, those of the process, which then ends at once after Ctrl-C or
        SIGTERM: threads that still compile do not survive an orderly exit.

    Returns:
      The exit status: 0, or 2 if something given makes no sense, 1 if a file could not be written, 130 after Ctrl-C,
      143 after SIGTERM, 129 after SIGHUP.
    """
    status = _status(_parser().parse_args(argv))
    if argv is None and status in INTERRUPTED:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
    return status


def _status(arguments: argparse.Namespace) -> int:
    try:
        arguments.command(arguments)
    except InputError as error:
        return _fail(f"error: {error}", 2)
    except OSError as error:
        return _fail(f"error: {error}", 1)
    except (MemoryError, OverflowError) as error:
        return _fail(f"error: the configuration asks for more than this machine can hold ({error}); write less", 2)
    except Interrupted as interrupt:
        return _fail(str(interrupt), interrupt.status)
    return 0


def _fail(message: str, status: int) -> int:
    with contextlib.suppress(OSError):  # whoever read it may be gone
        print(f"jdgnn: {message}", file=sys.stderr)
    return status


def _run(arguments: argparse.Namespace) -> None:
    if arguments.resume is not None:
        _resume(arguments)
        return
    if arguments.config is None:
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
    directory = RunDirectory(path, overwrite=arguments.overwrite)
    with contextlib.closing(directory), _interrupts(directory) as interrupts:
        run_experiment(
            config, directory, lasting_console(), data_root=arguments.data_root, files=files, interrupts=interrupts
        )


def _run_seeds(arguments: argparse.Namespace, config: Config, path: Path) -> None:
    seeds = seeds_from(config.seed, arguments.seeds)
    directory = SeedsDirectory(path, seeds, overwrite=arguments.overwrite)
    with contextlib.closing(directory), _interrupts(directory) as interrupts:
        run_seeds(config, directory, lasting_console(), data_root=arguments.data_root, interrupts=interrupts)


def _resume(arguments: argparse.Namespace) -> None:
    for option in ("out", "overwrite", "seeds", "record"):
        if getattr(arguments, option):
            raise InputError(f"--{option}: has no meaning together with --resume, which goes on where a run is")
    if arguments.compilation_cache is not None:
        keep_programs(arguments.compilation_cache)
    changes = Changes(arguments.config, arguments.set, arguments.data_root, arguments.replay)
    if are_seeds(arguments.resume):
        _check_no_event_files(arguments)
        runs = SeedsDirectory(arguments.resume, seeds_of(arguments.resume))
        with contextlib.closing(runs), _interrupts(runs) as interrupts:
            resume_seeds(runs, lasting_console(), changes, interrupts)
        return
    directory = RunDirectory(arguments.resume)
    with contextlib.closing(directory), _interrupts(directory) as interrupts:
        resume_run(directory, lasting_console(), changes, interrupts)


@contextlib.contextmanager
def _interrupts(directory: RunDirectory | SeedsDirectory) -> Iterator[Interrupts]:
    """Gives what remembers Ctrl-C and SIGTERM; after them, says what is kept."""
    try:
        with remembered_interrupts() as interrupts:
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


def _compare(arguments: argparse.Namespace) -> None:
    file, paths = arguments.json, [arguments.first, *arguments.others]
    if arguments.overwrite and file is None:
        raise InputError("--overwrite: got no --json, and without one nothing is written; add --json FILE")
    if file is not None:
        _check_new_file(file, overwrite=arguments.overwrite)
    comparison = compare(paths)
    print_comparison(Console(), comparison)
    if file is not None:
        write_json(file, comparison)


def _check_new_file(file: Path, *, overwrite: bool) -> None:
    if file.is_dir():
        raise InputError(f"--json: {file} is a directory; give the name of a file")
    if not file.parent.is_dir():
        raise InputError(f"--json: there is no directory {file.parent}; make it, or give another place")
    if file.exists() and not overwrite:
        raise InputError(f"--json: {file} exists; give another name, or add --overwrite to replace it")


def _name(config: Path) -> str:
    """What to call runs of a configuration: after its file, or the run it was written by."""
    return (config.name == CONFIG and config.resolve().parent.name) or config.stem


def _list_datasets(arguments: argparse.Namespace) -> None:
    root = arguments.data_root
    if root is not None and not root.is_dir():
        raise InputError(f"--data-root: there is no directory {root}; give the one that holds the data sets")
    print_table(Console(), datasets_table(root))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jdgnn", description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"jdgnn {jdgnn.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_compare(commands)
    _add_datasets(commands)
    return parser


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser(
        "run",
        help="run a configuration",
        description="Runs a configuration, judges the embeddings, and writes everything into a new directory.",
        epilog="The directory gets config.toml (everything resolved), metrics.jsonl (a line per recorded tick), "
        "summary.json, embeddings.npz, nodes.npz (what each node did) and checkpoints/ (to go on from). With --seeds "
        "it gets such a directory for each seed, seed-0 and so on, and seeds.json (mean and sd over seeds; gains on "
        "each control).",
    )
    run.add_argument("config", type=Path, metavar="CONFIG", nargs="?", help="a TOML file")
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
    _add_data_root(run)
    run.set_defaults(command=_run)


def _add_compare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    comparison = commands.add_parser(
        "compare",
        help="compare finished runs with each other",
        description="Compares what finished runs have learned with the first of them, in pairs by seed and by split, "
        "and says in which keys their configurations differ.",
        epilog="Figures are means and sds over seeds of means over splits, or over splits where there is one seed. "
        "Differences are taken over the seeds that both have. Networks and splits must be the same.",
    )
    comparison.add_argument("first", type=Path, metavar="A", help="directory of a run, with or without --seeds")
    comparison.add_argument("others", type=Path, nargs="+", metavar="B", help="those to compare with it")
    comparison.add_argument("--json", type=Path, metavar="FILE", help="write the same to this file, as JSON")
    comparison.add_argument("--overwrite", action="store_true", help="replace what --json already holds")
    comparison.set_defaults(command=_compare)


def _add_datasets(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    datasets = commands.add_parser("datasets", help="networks that come with jdgnn")
    subcommands = datasets.add_subparsers(required=True, metavar="COMMAND")
    listing = subcommands.add_parser("list", help="list them, and where each would be read from")
    _add_data_root(listing)
    listing.set_defaults(command=_list_datasets)


def _add_data_root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-root",
        type=Path,
        metavar="DIR",
        help="directory with a folder for each data set (default: $JDGNN_DATA, else a download into the cache)",
    )


if __name__ == "__main__":
    sys.exit(main())
