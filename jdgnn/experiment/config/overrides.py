"""Changes to a configuration from the command line: `--set key=value`."""

import copy
from collections.abc import Iterable
from typing import Any

from jdgnn.errors import InputError, suggestion
from jdgnn.experiment.config.problems import shown
from jdgnn.experiment.config.toml import parsed_toml

ONE_OR_SEVERAL = {"presence"}
"""Keys that hold one table or a list of them."""

DEEPEST = 50
"""Parts of a key."""


def with_overrides(tables: dict[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Applies changes to what a file says.

    Args:
      tables: the configuration as read; it is left as it is.
      overrides: each `key=value`. The key is a path with dots, a number for an entry of a list. The value is read as
        TOML, and taken as text if it is none. A path that runs through a bare name, as `gossip.merge.name` where the
        file says `merge = "average"`, makes it a table with that name; one that asks for the first of several, as
        `availability.presence.0`, makes a list of what stands alone.

    Returns:
      The changed configuration; whether its keys exist is checked with all others.

    Raises:
      InputError: an override has no `=`, or its path runs through something that is no table.

    Example:
      >>> with_overrides({"layers": [{"units": 64}]}, ["layers.0.units=32", "objective=info_nce"])
      {'layers': [{'units': 32}], 'objective': 'info_nce'}
    """
    tables = copy.deepcopy(tables)
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not all(key.strip().split(".")):
            raise InputError(f"--set: expected key=value, for example emulation.ticks=50, got {override!r}")
        path = key.strip().split(".")
        if len(path) > DEEPEST:
            raise InputError(f"--set: got a key of {len(path)} parts, and no key has more than {DEEPEST}; write fewer")
        _put(tables, path, value_of(text.strip()))
    return tables


def value_of(text: str) -> Any:
    """A value as it is written behind `key=`: read as TOML, or taken as text if it is none.

    >>> value_of("50"), value_of("average"), value_of("[1, 2]")
    (50, 'average', [1, 2])
    """
    try:
        read = parsed_toml(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return read["value"] if len(read) == 1 else text


def _put(place: Any, path: list[str], value: Any) -> None:
    for depth, name in enumerate(path):
        parent = ".".join(path[:depth])
        if not isinstance(place, dict | list):
            raise InputError(f"{'.'.join(path)}: cannot be set, since {parent} is {shown(place)}, and no table")
        key: Any = _index(parent, name, len(place)) if isinstance(place, list) else name
        if depth == len(path) - 1:
            place[key] = value
        else:
            place = _entered(place, key, path[depth + 1])


def _entered(place: Any, key: Any, next_key: str) -> Any:
    """What is at a key on the way to another: made if it is missing, and a table if it is the bare name of a part."""
    value = place[key] if isinstance(place, list) else place.setdefault(key, {})
    if isinstance(value, str) and key != "name":
        place[key] = value = {"name": value}
    if key in ONE_OR_SEVERAL and next_key == "0" and isinstance(value, dict):
        place[key] = value = [value]
    return value


def _index(parent: str, key: str, length: int) -> int:
    if not key.isascii() or not key.isdigit() or len(key) > len(str(length)) or int(key) >= length:
        raise InputError(f"{parent}.{key}: {parent} is a list; {suggestion(key, [str(i) for i in range(length)])}")
    return int(key)
