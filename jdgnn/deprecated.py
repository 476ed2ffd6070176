"""Old names of what was renamed: they work for one release, with a warning."""

import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any


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
