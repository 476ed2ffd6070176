"""`jdgnn configs`: the configurations that come with jdgnn."""

import argparse

from jdgnn.errors import InputError, suggestion
from jdgnn.experiment.cli.help import Commands, add_command, entry, folded
from jdgnn.experiment.config.shipped import shipped, summary


def add(commands: Commands) -> None:
    """Adds the command `configs`."""
    configs = add_command(
        commands,
        "configs",
        help="list the configurations that come with jdgnn",
        description="Lists the configurations that come with jdgnn, one for each kind of study. With the name of one, "
        "prints its text, which is commented and made to be copied and changed.",
        examples={
            "jdgnn configs": "all of them, with one line each",
            "jdgnn configs quickstart": "the text of one; add > mine.toml to keep it in a file",
        },
    )
    configs.add_argument("name", nargs="?", metavar="NAME", help="a configuration")
    configs.set_defaults(command=_configs)


def _configs(arguments: argparse.Namespace) -> None:
    name, found = arguments.name, shipped()
    if name is None:
        print(folded("Configurations that come with jdgnn: jdgnn run NAME runs one, jdgnn configs NAME prints it."))
        width = max(map(len, found), default=0) + 2
        print("\n".join(["", *(entry(f"  {one:{width}}", summary(path)) for one, path in found.items())]))
    elif name in found:
        print(found[name].read_text(encoding="utf-8"), end="")
    else:
        raise InputError(
            f"NAME: expected a configuration that comes with jdgnn, got {name!r}; {suggestion(name, found)}"
        )
