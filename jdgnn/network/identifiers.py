"""What nodes are called, and in which row each stands: the one place where names become rows.

Readers, traces, groups and splits all look nodes up here, so that a name means the same node everywhere. Where a
network has no names, its nodes are called 0, …, N - 1.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.network.labels import is_nan
from jdgnn.network.problems import listed


def identifier(value: Any) -> str:
    """A name as text: 1, 1.0 and NumPy's 1 are all '1'; nothing (None, NaN, an empty text) is ''.

    A float from 2**53 on stands for several whole numbers, and is the name of none of them.

    >>> identifier(1), identifier(np.float64(1)), identifier(" ann "), identifier(float("nan"))
    ('1', '1', 'ann', '')
    """
    if isinstance(value, str):
        return value.strip()
    if value is None or is_nan(value):
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value)) if abs(float(value)) < 2**53 else f"{value:.16e}"
    return str(value)


def named(names: Iterable[Any], most: int = 12) -> str:
    """Names for a message, the first of them written out.

    >>> named(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    return listed([repr(name) for name in names], most)


class Identifiers:
    """What the nodes of one network are called.

    Args:
      names: a name for each node [N], all different; or none, where nodes are called 0, …, N - 1.
      num_nodes: N.

    Example:
      >>> Identifiers(("7", "8", "9"), 3).rows("group", [9, "7", 8.0]).tolist()
      [2, 0, 1]
    """

    def __init__(self, names: Sequence[str], num_nodes: int) -> None:
        self.num_nodes = len(names) or num_nodes
        self.names = () if list(names) == list(map(str, range(len(names)))) else names

    @functools.cached_property
    def _number(self) -> dict[str, int]:
        names = self.names or map(str, range(self.num_nodes))
        return {name: row for row, name in enumerate(names)}

    @functools.cached_property
    def _plain(self) -> dict[str, int]:
        """Rows by names in which 1.0 is 1; what two nodes would then be called is left out."""
        plain = [without_zeros(name) for name in self._number]
        count = Counter(plain)
        return {name: row for row, name in enumerate(plain) if count[name] == 1}

    @property
    def described(self) -> str:
        """What they are called, for messages."""
        if self.names:
            return f"the nodes are called {named(self.names, 3)}"
        return f"the nodes have no names, so that they are called 0 to {self.num_nodes - 1}"

    def name(self, row: Any) -> str:
        """What the node in a row is called."""
        return self.names[row] if self.names else str(row)

    def rows(self, what: str, given: Iterable[Any]) -> NDArray[np.int64]:
        """The row of each node that is named; a node may be named any number of times.

        Args:
          what: where the names stand, which begins the message.
          given: names, as texts or numbers; 1, 1.0 and '1' mean the same node.

        Raises:
          InputError: there are names that no node has; the message lists them.
        """
        values = _values(given)
        found = self.find(values)
        if -1 in found:
            unknown = dict.fromkeys(value for value, row in zip(values, found, strict=True) if row < 0)
            raise InputError(f"{what}: no node has the name {named(unknown)}; {self.described}")
        return found

    def find(self, given: Iterable[Any]) -> NDArray[np.int64]:
        """The row of each node that is named; -1 where no node has the name.

        >>> Identifiers(("ann", "bob"), 2).find(["bob", "cy"]).tolist()
        [1, -1]
        """
        return np.array([self._row(value) for value in given], np.int64)

    def order(self, what: str, given: Iterable[Any]) -> NDArray[np.int64]:
        """Where each node stands in a table with one row for each.

        Args:
          what: where the names stand, which begins the message.
          given: the name in each row of the table [N].

        Returns:
          For each node the row of the table that is its own, so that `table[order]` is in the order of the nodes.

        Raises:
          InputError: names are unknown, missing or stand there twice; one message lists them all.

        Example:
          >>> Identifiers(("ann", "bob"), 2).order("features", ["bob", "ann"]).tolist()
          [1, 0]
        """
        values = _values(given)
        found = self.find(values)
        times = np.bincount(found[found >= 0], minlength=self.num_nodes)
        problems = {
            "unknown": list(dict.fromkeys(value for value, row in zip(values, found, strict=True) if row < 0)),
            "missing": [self.name(row) for row in np.flatnonzero(times == 0)],
            "there twice or more": [self.name(row) for row in np.flatnonzero(times > 1)],
        }
        told = [f"{problem}: {named(which)}" for problem, which in problems.items() if which]
        if told:
            raise InputError(f"{what}: expected each node once, by its name; {'; '.join(told)}; {self.described}")
        order = np.empty(self.num_nodes, np.int64)
        order[found] = np.arange(self.num_nodes)
        return order

    def _row(self, value: Any) -> int:
        """The row of a node; -1 if no node has the name, or more than one could be meant."""
        name = identifier(value)
        row = self._number.get(name)
        return self._plain.get(without_zeros(name), -1) if row is None else row


def _values(given: Iterable[Any]) -> list[Any]:
    return given.tolist() if hasattr(given, "tolist") else list(given)


def without_zeros(name: str) -> str:
    """'1.0' as '1': tables write whole numbers so beside an empty cell.

    >>> without_zeros("1.0"), without_zeros("1.50"), without_zeros("v1.0")
    ('1', '1.50', 'v1.0')
    """
    return re.sub(r"^(-?\d+)\.0+$", r"\1", name, flags=re.ASCII)
