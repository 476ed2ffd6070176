"""`jdgnn completion`: what a shell needs to complete commands, options and files."""

import argparse

import shtab

from jdgnn.errors import InputError, suggestion
from jdgnn.experiment.cli.help import Commands, add_command
from jdgnn.experiment.config.catalogue import KINDS
from jdgnn.experiment.config.shipped import shipped

SHELLS = ("bash", "zsh", "tcsh")
INSTALL = """\
to install it (once; then open a new shell):
  bash   add to ~/.bashrc: eval "$(jdgnn completion bash)"
         or, quicker to start, with the package bash-completion:
         cd ~/.local/share/bash-completion/completions (mkdir -p it first)
         jdgnn completion bash > jdgnn
  zsh    jdgnn completion zsh > ~/.zsh/completions/_jdgnn
         (and in ~/.zshrc, before compinit: fpath=(~/.zsh/completions $fpath))
  tcsh   jdgnn completion tcsh > ~/.jdgnn-completion.tcsh
         (and in ~/.tcshrc: source ~/.jdgnn-completion.tcsh)

"""
FILES, FOLDERS = ("CONFIG", "FILE", "EDGES", "NODES"), ("DIR", "A", "B")
"""How arguments are called that are files, and directories."""


def add(commands: Commands) -> None:
    """Adds the command `completion`."""
    completion = add_command(
        commands,
        "completion",
        help="print what a shell needs to complete jdgnn's commands",
        description="Prints a script with which a shell completes commands, options, names of parts, configurations "
        "and directories of runs.",
        examples={'eval "$(jdgnn completion bash)"': "completion in this shell, until it is closed"},
    )
    completion.epilog = INSTALL + (completion.epilog or "")
    completion.add_argument("shell", metavar="SHELL", help=", ".join(SHELLS[:-1]) + f" or {SHELLS[-1]}")
    completion.set_defaults(command=_completion)


def _completion(arguments: argparse.Namespace) -> None:
    if arguments.shell not in SHELLS:
        raise InputError(f"SHELL: got {arguments.shell!r}; {suggestion(arguments.shell, SHELLS)}")
    print(script(arguments.shell, arguments.whole))


def script(shell: str, whole: argparse.ArgumentParser) -> str:
    """The script that completes in a shell.

    Args:
      shell: one of `SHELLS`.
      whole: what reads the arguments of the whole command line.

    Returns:
      Its text.

    Example:
      >>> "complete" in script("bash", argparse.ArgumentParser("jdgnn"))
      True
    """
    _mark(whole)
    return shtab.complete(whole, shell=shell)


def _mark(parser: argparse.ArgumentParser) -> None:
    """Says of every argument what it can be."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _mark(inner)
        elif action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar in FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif parser.prog.endswith(" parts") and action.dest == "name":
            action.choices = sorted({*KINDS, *(part for kind in KINDS.values() for part in kind.parts)})
        elif parser.prog.endswith(" configs") and action.dest == "name":
            action.choices = sorted(shipped())
        elif parser.prog.endswith(" completion") and action.dest == "shell":
            action.choices = SHELLS
