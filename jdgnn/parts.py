"""Parts as arguments of compiled functions, and what is said of those that do not do as they should."""

import contextlib
from collections.abc import Iterator
from typing import Any, TypeVar

import jax
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
    members: list[Any] = [
        member if member is None and name in defaults else as_partial(f"{type(part).__name__}.{name}", member)
        for name, member in zip(getattr(part, "_fields", ()), part, strict=True)
    ]
    return type(part)(*members)


def as_partial(what: str, function: Any) -> Partial:
    """Makes a function fit to be passed to a compiled function; a `Partial` stays as it is.

    Args:
      what: the function, as errors should name it.
      function: the function.

    Returns:
      The function as a `jax.tree_util.Partial`.

    Raises:
      InputError: it is none.
    """
    if not callable(function):
        raise InputError(f"{what}: got {function!r}, and a function is needed")
    return function if isinstance(function, Partial) else Partial(function)


def bound(parts: dict[str, Any], nodes: Any) -> dict[str, Any]:
    """Parts for one network: those that name nodes, wherever they stand in others, are bound to its rows.

    Args:
      parts: parts by name, which hold others or not; one that names nodes has a member `bind`, as `jdgnn.Presence`
        says.
      nodes: what the nodes are called, `jdgnn.network.Identifiers`.

    Returns:
      The same parts.

    Raises:
      InputError: the network has no node of a name; the message begins with the place of the part that names it.
    """

    def has_names(part: Any) -> bool:
        return getattr(part, "bind", None) is not None

    def bind(path: Any, part: Any) -> Any:
        if not has_names(part):
            return part
        with failures_named(jax.tree_util.keystr(path, simple=True, separator=".")):
            return as_argument(part.bind(nodes))

    found: dict[str, Any] = jax.tree_util.tree_map_with_path(bind, parts, is_leaf=has_names)
    return found


@contextlib.contextmanager
def failures_named(what: str) -> Iterator[None]:
    """Has whatever goes wrong inside, where a user's function may be called, begin with the name of the part.

    Args:
      what: the part, as errors should name it.

    Raises:
      InputError: anything went wrong.

    Example:
      >>> with failures_named("push.peers"):
      ...     [].pop()
      Traceback (most recent call last):
      jdgnn.errors.InputError: push.peers: it fails with IndexError: pop from empty list
    """
    try:
        yield
    except InputError as error:
        raise InputError(f"{what}: {error}") from error
    except Exception as error:  # whatever a user's function may raise
        raise InputError(f"{what}: it fails with {type(error).__name__}: {error}".split("\n")[0]) from error


def described(shapes: Any) -> str:
    """A tree of shapes as errors should show it.

    Example:
      >>> described(jax.eval_shape(lambda: (jax.numpy.zeros((2, 3)), True)))
      '(float32[2, 3], bool[])'
    """
    return str(jax.tree.map(lambda leaf: f"{leaf.dtype}{list(leaf.shape)}", shapes)).replace("'", "")
