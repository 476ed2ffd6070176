"""Parts as arguments of compiled functions."""

from collections.abc import Callable
from typing import Any, TypeVar

from jax.tree_util import Partial

from jdgnn.errors import InputError

Part = TypeVar("Part", bound=tuple[Any, ...])


def as_argument(part: Part) -> Part:
    """Makes a part (a NamedTuple of functions) fit to be passed to a compiled function.

    Each function becomes a `jax.tree_util.Partial`: the function itself is structure, and numbers bound to it by
    keyword are traced, so that another number compiles nothing anew.

    Args:
      part: the part; members are functions, `Partial`s, or None.

    Returns:
      The same part.

    Raises:
      InputError: a member is no function.
    """
    defaults = getattr(part, "_field_defaults", {})
    for name, member in zip(getattr(part, "_fields", ()), part, strict=True):
        if not callable(member) and (member is not None or name not in defaults):
            raise InputError(f"{type(part).__name__}.{name}: got {member!r}, and a function is needed")
    members: tuple[Any, ...] = tuple(_as_partial(member) for member in part)
    return type(part)(*members)


def _as_partial(member: Callable[..., Any] | None) -> Partial | None:
    return member if member is None or isinstance(member, Partial) else Partial(member)
