"""TOML that anybody may have written."""

import tomllib
from typing import Any

MOST_DOTS = 200
"""In a line: Python's reader takes memory by the square of the number of dots in a key."""


def parsed_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text, where no key is so deep that reading it would take all memory.

    Raises:
      ValueError: one is, or the text is no TOML.
      RecursionError: values are nested too deeply.

    Example:
      >>> parsed_toml("a.b = 1")
      {'a': {'b': 1}}
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > MOST_DOTS:
            raise ValueError(f"more than {MOST_DOTS} dots (at line {number})")
    return tomllib.loads(text)
