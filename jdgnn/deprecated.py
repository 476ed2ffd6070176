"""Old names of what was renamed: they work for one release, with a warning."""

import functools
import importlib
import warnings
from collections.abc import Callable, Hashable, Mapping
from typing import Any, ParamSpec, TypeVar

from jdgnn.errors import InputError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def old_names(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a module in which something was renamed.

    Args:
      module: its `__name__`.
      names: the new name for each old one.

    Returns:
      A function that gives the attribute of the new name, with a DeprecationWarning.

    Example:
      >>> import warnings
      >>> get = old_names("math", {"gauss_error": "erf"})
      >>> with warnings.catch_warnings(action="ignore"):
      ...     get("gauss_error")(0.0)
      0.0
    """

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        new = names[name]
        warnings.warn(f"{module}.{name} is now {module}.{new}", DeprecationWarning, stacklevel=2)
        return getattr(importlib.import_module(module), new)

    return get


Renamed = str | tuple[str, Mapping[Any, Any]]


def old_arguments(**new: Renamed) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Lets a function take arguments by their old names, too, with a DeprecationWarning.

    Args:
      new: the new name for each old one; with the new value for each old one, if these have changed, too.

    Returns:
      A decorator. The decorated function raises InputError where an argument is given by both of its names.

    Example:
      >>> import warnings
      >>> @old_arguments(colour="color")
      ... def painted(*, color):
      ...     return color
      >>> with warnings.catch_warnings(action="ignore"):
      ...     painted(colour="red")
      'red'
    """

    def decorated(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        @functools.wraps(function)
        def called(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            for old, renamed in new.items():
                if old in kwargs:
                    now, values = (renamed, {}) if isinstance(renamed, str) else renamed
                    if now in kwargs:
                        raise InputError(f"{old}: is now {now}, which is given too; remove one of them")
                    warnings.warn(f"the argument {old} is now {now}", DeprecationWarning, stacklevel=2)
                    value = kwargs.pop(old)
                    kwargs[now] = values.get(value, value) if isinstance(value, Hashable) else value
            return function(*args, **kwargs)

        return called

    return decorated
