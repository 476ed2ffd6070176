"""`jdgnn configs`: the bundled configurations."""

from typing import Annotated

import typer

from jdgnn.errors import InputError, suggestion
from jdgnn.experiment.cli.help import entry, folded
from jdgnn.experiment.config.shipped import shipped, summary


def configs(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="a bundled configuration", autocompletion=shipped),
    ] = None,
) -> None:
    """List the bundled configurations, or print one.

    There is one for each kind of study, commented and made to be copied and
    changed.

    Examples:
      jdgnn configs
          one line for each
      jdgnn configs quickstart
          the text of one; add > mine.toml to keep it in a file
    """
    found = shipped()
    if name is None:
        print(folded("Bundled configurations: jdgnn run NAME runs one, jdgnn configs NAME prints it."))
        width = max(map(len, found), default=0) + 2
        print("\n".join(["", *(entry(f"  {one:{width}}", summary(path)) for one, path in found.items())]))
    elif name in found:
        print(found[name].read_text(encoding="utf-8"), end="")
    else:
        raise InputError(f"NAME: expected a bundled configuration, got {name!r}; {suggestion(name, found)}")
