"""`jdgnn completion`: a script with which a shell completes commands, options and names."""

from typing import Annotated

import typer
from typer.completion import get_completion_script

from jdgnn.errors import InputError, suggestion

SHELLS = ("bash", "fish", "zsh")
ASKED = "_JDGNN_COMPLETE"
"""The environment variable by which the script asks for completions."""


def completion(
    shell: Annotated[
        str, typer.Argument(metavar="SHELL", help="bash, fish or zsh", autocompletion=lambda: list(SHELLS))
    ],
) -> None:
    """Print a script for the completion of commands.

    With it, a shell completes commands, options, components and configurations.
    To install it, once:

      bash   add to ~/.bashrc: eval "$(jdgnn completion bash)"
      zsh    add to ~/.zshrc, after compinit: eval "$(jdgnn completion zsh)"
      fish   add to ~/.config/fish/config.fish: jdgnn completion fish | source

    Examples:
      eval "$(jdgnn completion bash)"
          completion in this shell, until it is closed
    """
    if shell not in SHELLS:
        raise InputError(f"SHELL: got {shell!r}; {suggestion(shell, SHELLS)}")
    print(get_completion_script(prog_name="jdgnn", complete_var=ASKED, shell=shell))
