"""What arguments of readers were called before: who writes the old name is told the new one."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from jdgnn.errors import InputError

NOW = {"sender": "source", "receiver": "target", "node": "id"}
"""Names of columns since they are those that tables have."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def former_names_told(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """A function that names the new argument where it is given an old one.

    Example:
      >>> former_names_told(lambda **columns: columns)(sender="from")
      Traceback (most recent call last):
      jdgnn.errors.InputError: sender: this argument is called source now; write source = 'from'
    """

    @functools.wraps(function)
    def told(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        for name in NOW.keys() & kwargs.keys():
            raise InputError(f"{name}: this argument is called {NOW[name]} now; write {NOW[name]} = {kwargs[name]!r}")
        return function(*args, **kwargs)

    return told
