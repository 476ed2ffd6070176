"""Checks of many things in one test: whatever breaks the rule is collected, and named at once."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any


def assert_none(offenders: Iterable[str], rule: str) -> None:
    """Asserts that there are no offenders, and otherwise says the rule and each of them on a line of its own."""
    found = list(offenders)
    assert not found, "\n".join([f"{rule}; {len(found)} do not:", *found])


def failing(check: Callable[..., object], cases: Iterable[tuple[str, tuple[Any, ...]]]) -> Iterator[str]:
    """Names of the cases for whose arguments a check fails, each with what it said."""
    for name, arguments in cases:
        try:
            check(*arguments)
        except (Exception, SystemExit) as error:  # parsers of command lines end the program
            yield f"{name}: {type(error).__name__}: {error}"
