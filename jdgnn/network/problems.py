"""Everything that is wrong with what was given, told in one error."""

from collections.abc import Callable, Sequence
from typing import Any

from jdgnn.errors import InputError

MOST_CELLS = 5
"""Bad cells of a column that are shown; the others are counted."""


class Problems:
    """Collects what is wrong, and raises it all at once.

    Args:
      argument: what the values were given as; every message begins with it.
      place: turns the number of a row into words, such as `line 4`; by default `row 3`.

    Example:
      >>> problems = Problems("nodes")
      >>> problems.add("there is no column 'load'")
      >>> problems.cells("up", ["a", 1, "b"], [0, 2], "expected numbers")
      >>> problems.reject()
      Traceback (most recent call last):
      jdgnn.errors.InputError: nodes: there is no column 'load'; up: expected numbers, got 'a' (row 0), 'b' (row 2)
    """

    def __init__(self, argument: str, place: Callable[[int], str] = "row {}".format) -> None:
        self.argument, self.place = argument, place
        self.found: list[str] = []

    def add(self, text: str) -> None:
        """Adds one problem."""
        self.found.append(text)

    def cells(self, name: str, values: Sequence[Any], rows: Sequence[int], wanted: str, way_out: str = "") -> None:
        """Adds cells of one column that do not fit; adds nothing where there are none."""
        if not len(rows):
            return
        shown = [f"{_shown(values[row])} ({self.place(int(row))})" for row in rows[:MOST_CELLS]]
        more = f" and {len(rows) - MOST_CELLS:,} more" if len(rows) > MOST_CELLS else ""
        self.add(f"{name}: {wanted}, got {', '.join(shown)}{more}{way_out and '; ' + way_out}")

    def reject(self) -> None:
        """Raises one InputError that lists everything, if anything was added."""
        raise_all(self)


def raise_all(*problems: Problems) -> None:
    """Raises one InputError that lists what is wrong with any of several things."""
    told = [f"{one.argument}: {'; '.join(one.found)}" for one in problems if one.found]
    if told:
        raise InputError("; ".join(told))


def _shown(value: Any) -> str:
    text = "an empty cell" if value is None or value == "" else repr(value)
    return text if len(text) <= 40 else text[:36] + "...'"


def listed(names: Sequence[str], most: int = 12) -> str:
    """The first names, and how many there are besides.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
