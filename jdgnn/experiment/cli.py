"""The command line; its commands are in `jdgnn.experiment.commands`."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence

import jdgnn
from jdgnn.errors import InputError
from jdgnn.experiment.commands import ADD
from jdgnn.experiment.interrupts import Interrupted

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
  jdgnn sweep configs/cora.toml --set push.fanout=8,32 --set gossip.merge=average,age_weighted --seeds 3 --jobs 2
      all four combinations, each with seeds 0 to 2, two runs at a time: one table and one plot
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
      The exit status: 0, or 2 if something given makes no sense, 1 if a file could not be written or runs of a sweep
      failed, 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.
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
        status: int | None = arguments.command(arguments)
    except InputError as error:
        return _fail(f"error: {error}", 2)
    except OSError as error:
        return _fail(f"error: {error}", 1)
    except (MemoryError, OverflowError) as error:
        return _fail(f"error: the configuration asks for more than this machine can hold ({error}); write less", 2)
    except Interrupted as interrupt:
        return _fail(str(interrupt), interrupt.status)
    return status or 0


def _fail(message: str, status: int) -> int:
    with contextlib.suppress(OSError):  # whoever read it may be gone
        print(f"jdgnn: {message}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jdgnn", description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"jdgnn {jdgnn.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in ADD:
        add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
