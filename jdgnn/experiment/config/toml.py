"""TOML that anybody may have written."""

import tomllib
from collections.abc import Mapping
from typing import Any

MOST_DOTS = 200
"""In a line: Python's reader takes memory by the square of the number of dots in a key."""


def parsed_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text, where no key is so deep that reading it would take all memory.

    Raises:
      ValueError: one is, or a whole number has more than 64 bits, or the text is no TOML.
      RecursionError: values are nested too deeply.

    Example:
      >>> parsed_toml("a.b = 1")
      {'a': {'b': 1}}
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > MOST_DOTS:
            raise ValueError(f"more than {MOST_DOTS} dots (at line {number})")
    tables = tomllib.loads(text)
    _check_numbers(tables)
    return tables


def _check_numbers(value: Any) -> None:
    """Rejects whole numbers that TOML does not have, and Python takes long to print."""
    if isinstance(value, int) and abs(value) >= 2**64:
        raise ValueError(f"a whole number of {value.bit_length()} bits, where 64 are allowed")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        _check_numbers(one)


def flat(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Tables within tables as one, by paths with dots as `--set` takes them.

    >>> flat({"layers": [{"name": "gcn"}], "push": {"fanout": 8}})
    {'layers.0.name': 'gcn', 'push.fanout': 8}
    """
    found: dict[str, Any] = {}
    for key, value in tables.items():
        inner = {str(index): entry for index, entry in enumerate(value)} if isinstance(value, list) else value
        if isinstance(inner, Mapping) and inner:
            found |= {f"{key}.{name}": entry for name, entry in flat(inner).items()}
        else:
            found[key] = value
    return found
