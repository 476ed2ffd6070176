"""Keys and values of configurations that were renamed: the former ones work for one release, with a warning."""

import warnings
from collections.abc import Mapping
from typing import Any

from jdgnn.errors import InputError

KEYS: dict[tuple[str, ...], str] = {
    ("emulation", "start"): "initial",
    ("emulation", "awake_share"): "active_fraction",
    ("emulation", "kernels"): "backend",
    **{(table, "link", "loss"): "drop" for table in ("publish", "push", "gossip")},
    **{(table, "link", "split"): "partition" for table in ("publish", "push", "gossip")},
}
"""The present last key by the path of the former one."""

VALUES: dict[tuple[str, ...], dict[Any, str]] = {
    ("emulation", "initial"): {"common": "shared"},
    ("emulation", "backend"): {True: "cpu", False: "plain"},
}
"""The present value by the former one, by path."""


def with_present_keys(tables: Mapping[str, Any], *, warn: bool = True) -> dict[str, Any]:
    """A configuration in which what was renamed has its present name.

    Args:
      tables: the configuration as read; it is left as it is.
      warn: whether each former name is told, as a FutureWarning, which users see; not for runs of an earlier version.

    Returns:
      The same configuration.

    Raises:
      InputError: a key is given by both of its names.

    Example:
      >>> with_present_keys({"push": {"link": {"loss": 0.1}}}, warn=False)
      {'push': {'link': {'drop': 0.1}}}
    """
    return _renamed(tables, (), warn)


def _renamed(tables: Mapping[str, Any], path: tuple[str, ...], warn: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tables.items():
        new = KEYS.get((*path, key), key)
        if new != key and new in tables:
            raise InputError(f"{'.'.join((*path, key))}: is now {new}, which is given too; remove one of them")
        here = (*path, new)
        if isinstance(value, Mapping):
            value = _renamed(value, here, warn)
        now = VALUES.get(here, {}).get(value, value) if isinstance(value, str | bool) else value
        if warn and (new != key or now is not value):
            before = f"{'.'.join((*path, key))}" + (f" = {value}" if now is not value else "")
            after = ".".join(here) + (f" = {now}" if now is not value else "")
            warnings.warn(f"{before} is now {after}", FutureWarning, stacklevel=2)
        found[new] = now
    return found
