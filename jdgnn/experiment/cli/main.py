"""The command line as a whole: its help, its commands and its exit statuses."""

import contextlib
import os
import select
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.completion import completion_init

from jdgnn.errors import InputError, printable
from jdgnn.experiment.cli.compare import compare
from jdgnn.experiment.cli.completion import ASKED, completion
from jdgnn.experiment.cli.configs import configs
from jdgnn.experiment.cli.datasets import datasets
from jdgnn.experiment.cli.export import export
from jdgnn.experiment.cli.help import Command, Group
from jdgnn.experiment.cli.init import init
from jdgnn.experiment.cli.parts import parts
from jdgnn.experiment.cli.report import report
from jdgnn.experiment.cli.run import RunCommand, run
from jdgnn.experiment.cli.sweep import sweep
from jdgnn.experiment.run.interrupts import Interrupted
from jdgnn.version import __version__

INTERRUPTED = (129, 130, 143)
UNREAD = 141
"""The status of a program whose output is no longer read, as of one that SIGPIPE ends."""

COMMANDS: dict[str, tuple[Callable[..., Any], ...]] = {
    "Run": (init, run, sweep),
    "Look at results": (report, compare, export),
    "List what there is": (configs, parts, completion),
}
"""Commands by purpose, in the order in which they are listed; `datasets`, which has a subcommand, comes last."""

app = typer.Typer(cls=Group, rich_markup_mode=None, add_completion=False, subcommand_metavar="COMMAND ...")
for _group, _functions in COMMANDS.items():
    for _function in _functions:
        app.command(cls=RunCommand if _function is run else Command, rich_help_panel=_group)(_function)
app.add_typer(datasets, name="datasets", rich_help_panel="List what there is")


@app.callback(invoke_without_command=True)
def jdgnn(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Emulates a decentralised graph neural network: every node of a network trains
    its own model, without labels and without a server. Learned embeddings are
    evaluated against untrained baselines.

    The first three commands to type:
      jdgnn run quickstart     train 1,797 nodes on handwritten digits
      jdgnn datasets list      list the bundled data sets
      jdgnn parts              list every component and option

    Next steps:
      jdgnn run --help         change keys, run several seeds, record, resume
      jdgnn parts gcn          options of a component, with a snippet to paste
      jdgnn configs            list a commented configuration for each kind of study
      jdgnn init EDGES NODES   write a configuration for two tables of your own
    """  # noqa: D205
    if version:
        print(f"jdgnn {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
      argv: arguments after the program's name; if None, those of the process, which then ends at once after Ctrl-C or
        SIGTERM: threads that still compile do not survive an orderly exit.

    Returns:
      The exit status: 0, also for help; 2 for invalid input, 1 if a file could not be written or runs of a sweep
      failed, 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP, 141 if the output is no longer read.
    """
    status = _status(sys.argv[1:] if argv is None else argv)
    if argv is None and status in INTERRUPTED:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
    return status


def _status(arguments: Sequence[str]) -> int:
    try:
        return _called(arguments)
    except typer.TyperException as error:
        return _fail(f"error: {_usage(error)}", 2)
    except InputError as error:
        return _fail(f"error: {error}", 2)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _is_unread():
            return UNREAD
        return _fail(f"error: {error}", 1)
    except (MemoryError, OverflowError) as error:
        return _fail(f"error: the configuration needs more memory than this machine has ({error}); reduce it", 2)
    except Interrupted as interrupt:
        return _fail(str(interrupt), interrupt.status)
    except KeyboardInterrupt:  # in a command that keeps nothing
        return _fail("interrupted", 130)


def _called(arguments: Sequence[str]) -> int:
    if os.environ.get(ASKED):  # by a shell that completes; the answer ends the process
        completion_init()
        app(prog_name="jdgnn")
    try:
        # not `app(arguments)`, which ends the process, and with status 1 where the output is no longer read
        command = typer.main.get_command(app)
        with command.make_context("jdgnn", list(arguments)) as context:
            return command.invoke(context) or 0
    except typer.Exit as done:
        return done.exit_code
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()  # an unread pipe is noticed here, and not when Python ends


def _usage(error: typer.TyperException) -> str:
    """An error of typer in one line, with the help to look at."""
    message, context = printable(error.format_message()), getattr(error, "ctx", None)
    if context is None:
        return message
    return f"{message}{'' if message.endswith(('.', '?')) else '.'} See {context.command_path} --help."


def _is_unread() -> bool:
    """Whether standard output is a pipe that nobody reads any more; then what is still to be written is dropped."""
    output = select.poll()
    output.register(sys.stdout, 0)
    is_unread = any(event & select.POLLERR for _, event in output.poll(0))
    if is_unread:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return is_unread


def _fail(message: str, status: int) -> int:
    with contextlib.suppress(OSError):  # standard error may be closed
        print(f"jdgnn: {message}", file=sys.stderr)
    return status
