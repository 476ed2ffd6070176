"""The command line; its commands are in `jdgnn.experiment.commands`."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence

import jdgnn
from jdgnn.errors import InputError
from jdgnn.experiment.commands import ADD
from jdgnn.experiment.commands.teaching import grouped
from jdgnn.experiment.interrupts import Interrupted

INTERRUPTED = (129, 130, 143)

DESCRIPTION = """\
Emulates a decentralised graph neural network: every node of a network trains a
model of its own, without labels and without a server. What the nodes have
learned is judged beside what takes no learning.

the first three commands to type:
  jdgnn run configs/quickstart.toml   1 797 nodes learn on handwritten digits
  jdgnn datasets list                 networks that come along
  jdgnn parts                         all that a configuration can say
"""

GROUPS = {
    "run": ("run", "sweep"),
    "see and compare what came of it": ("report", "compare", "export"),
    "find out what there is": ("datasets", "parts", "completion"),
}
"""Commands by what they are for, in the order in which they are listed."""

EPILOG = """\
where to go on:
  jdgnn run --help          change keys, run several seeds, record, go on
  jdgnn parts gcn           what a part takes, and what to write to get it
  configs/                  a commented configuration for each kind of study
  configs/own-files.toml    a network from files of your own
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
    status = _status(parser().parse_args(argv))
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


def parser() -> argparse.ArgumentParser:
    """What reads the arguments of the command line.

    >>> parser().parse_args(["datasets", "list"]).data_root is None
    True
    """
    whole = argparse.ArgumentParser(
        prog="jdgnn",
        usage="jdgnn COMMAND ...    (jdgnn COMMAND --help says what a command takes)",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=grouped(GROUPS),
    )
    whole.add_argument("--version", action="version", version=f"jdgnn {jdgnn.__version__}")
    commands = whole.add_subparsers(title="commands", required=True, metavar="COMMAND", prog="jdgnn")
    for add in ADD:
        add(commands)
    return whole


if __name__ == "__main__":
    sys.exit(main())
