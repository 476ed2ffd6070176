"""Which cases of a test run in `make test`, where the rest is left to `make test-long`."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import pytest


def in_turn(*axes: Iterable[Any]) -> list[tuple[Any, ...]]:
    """The shortest list of cases in which every option of every axis stands; shorter axes begin anew.

    Example:
      >>> in_turn("abc", [1, 2])
      [('a', 1), ('b', 2), ('c', 1)]
    """
    options = [tuple(axis) for axis in axes]
    return [tuple(axis[turn % len(axis)] for axis in options) for turn in range(max(map(len, options)))]


def mostly_long(cases: Iterable[Any], often: Collection[Any]) -> list[Any]:
    """The cases as parameters of a test, of which those that are not among `often` are marked as long.

    Args:
      cases: all of them, each a tuple of arguments, or the argument where there is one only.
      often: those of `make test`.

    Raises:
      ValueError: one of `often` is no case.
    """
    given = list(cases)
    if unknown := [case for case in often if case not in given]:
        raise ValueError(f"expected cases of the test, got {unknown}")
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)),
            marks=() if case in often else pytest.mark.long,
            id="-".join(_words(case)),
        )
        for case in given
    ]


def _words(case: Any) -> Iterator[str]:
    """What a case is called, as `pytest` would but for tuples in it."""
    if isinstance(case, tuple):
        for one in case:
            yield from _words(one)
    else:
        yield str(case)
