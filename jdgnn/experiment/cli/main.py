"""The command line; its commands are in `jdgnn.experiment.cli.commands`."""

import argparse
import contextlib
import os
import select
import sys
from collections.abc import Sequence

from jdgnn.errors import InputError
from jdgnn.experiment.cli.commands import ADD
from jdgnn.experiment.cli.help import grouped
from jdgnn.experiment.run.interrupts import Interrupted
from jdgnn.version import __version__

INTERRUPTED = (129, 130, 143)
UNREAD = 141
"""The status of a program whose output is no longer read, as of one that SIGPIPE ends."""

DESCRIPTION = """\
Emulates a decentralised graph neural network: every node of a network trains a
model of its own, without labels and without a server. What the nodes have
learned is judged beside what takes no learning.

the first three commands to type:
  jdgnn run quickstart     1 797 nodes learn on handwritten digits
  jdgnn datasets list      list the bundled data sets
  jdgnn parts              list every component and option
"""

GROUPS = {
    "run": ("init", "run", "sweep"),
    "see and compare what came of it": ("report", "compare", "export"),
    "find out what there is": ("configs", "datasets", "parts", "completion"),
}
"""Commands by what they are for, in the order in which they are listed."""

EPILOG = """\
where to go on:
  jdgnn run --help          change keys, run several seeds, record, go on
  jdgnn parts gcn           what a part takes, and what to write to get it
  jdgnn configs             a commented configuration for each kind of study
  jdgnn init EDGES NODES    write a configuration for two tables of your own
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
      argv: arguments after the program's name; if None, those of the process, which then ends at once after Ctrl-C or
        SIGTERM: threads that still compile do not survive an orderly exit.

    Returns:
      The exit status: 0, also for the help that is printed where no command is given; 2 if something given makes no
      sense, 1 if a file could not be written or runs of a sweep failed, 130 after Ctrl-C, 143 after SIGTERM, 129 after
      SIGHUP, 141 if nobody reads the output any more.
    """
    status = _status(argv)
    if argv is None and status in INTERRUPTED:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
    return status


def _status(argv: Sequence[str] | None) -> int:
    try:
        return _called(argv)
    except InputError as error:
        return _fail(f"error: {error}", 2)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _is_unread():
            return UNREAD
        return _fail(f"error: {error}", 1)
    except (MemoryError, OverflowError) as error:
        return _fail(f"error: the configuration asks for more than this machine can hold ({error}); write less", 2)
    except Interrupted as interrupt:
        return _fail(str(interrupt), interrupt.status)


def _called(argv: Sequence[str] | None) -> int:
    try:
        arguments = parser().parse_args(argv)
        return arguments.command(arguments) or 0
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()  # that nobody reads it is met here, and not when Python ends


def _is_unread() -> bool:
    """Whether standard output is a pipe that nobody reads any more; then what is still to be written is dropped."""
    output = select.poll()
    output.register(sys.stdout, 0)
    is_unread = any(event & select.POLLERR for _, event in output.poll(0))
    if is_unread:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return is_unread


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
    whole.add_argument("--version", action="version", version=f"jdgnn {__version__}")
    whole.set_defaults(command=lambda arguments: whole.print_help(), whole=whole)
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", prog="jdgnn")
    for add in ADD:
        add(commands)
    return whole
