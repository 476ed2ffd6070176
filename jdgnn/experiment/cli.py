"""The command line: `jdgnn run`, `jdgnn datasets list`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

import jdgnn
from jdgnn.errors import InputError
from jdgnn.experiment.compilation_cache import keep_programs
from jdgnn.experiment.config import read
from jdgnn.experiment.event_files import EventFiles
from jdgnn.experiment.interrupts import remembered_interrupts
from jdgnn.experiment.run_directory import CONFIG, RunDirectory, next_free
from jdgnn.experiment.runner import run_experiment
from jdgnn.experiment.tables import datasets_table, print_table

INTERRUPTED = 130

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
  jdgnn run configs/cora-async.toml --record events.npz
  jdgnn run configs/cora-async.toml --set gossip.merge=age_weighted --replay events.npz
      compare two algorithms on the very same losses, delays, absences and partners
  jdgnn datasets list
      networks to choose from, and where each would be read from

A configuration is a TOML file; the commented ones in configs/ explain every table.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
      argv: arguments after the program's name; if None, those of the process, which Ctrl-C then ends at once: threads
        that still compile do not survive an orderly exit.

    Returns:
      The exit status: 0, or 2 if something given makes no sense, 1 if a file could not be written, 130 after Ctrl-C.
    """
    status = _status(_parser().parse_args(argv))
    if argv is None and status == INTERRUPTED:
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
    except KeyboardInterrupt as interrupt:
        return _fail("; ".join(("interrupted", *interrupt.args)), INTERRUPTED)
    return 0


def _fail(message: str, status: int) -> int:
    print(f"jdgnn: {message}", file=sys.stderr)
    return status


def _run(arguments: argparse.Namespace) -> None:
    if arguments.overwrite and arguments.out is None and arguments.record is None:
        raise InputError("--overwrite: got no --out, and without one a new directory is made; add --out DIR")
    if arguments.compilation_cache is not None:
        keep_programs(arguments.compilation_cache)
    files = EventFiles(record=arguments.record, replay=arguments.replay, overwrite=arguments.overwrite)
    config = read(arguments.config, arguments.set)
    path = arguments.out or next_free(Path("runs"), _name(arguments.config))
    directory = RunDirectory(path, overwrite=arguments.overwrite)
    try:
        with remembered_interrupts() as interrupts:
            run_experiment(
                config, directory, Console(), data_root=arguments.data_root, files=files, check=interrupts.check
            )
    except KeyboardInterrupt as interrupt:
        if directory.is_made:
            raise KeyboardInterrupt(f"what was recorded so far is in {path}") from interrupt
        raise


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
    _add_datasets(commands)
    return parser


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser(
        "run",
        help="run a configuration",
        description="Runs a configuration, judges the embeddings, and writes everything into a new directory.",
        epilog="The directory gets config.toml (everything resolved), metrics.jsonl (a line per recorded tick), "
        "summary.json, embeddings.npz and nodes.npz (what each node did).",
    )
    run.add_argument("config", type=Path, metavar="CONFIG", help="a TOML file")
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
