"""Parts as arguments of compiled functions, and what is said of those that do not do as they should."""

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar, cast

import jax
from jax.tree_util import Partial

from jdgnn.errors import InputError

Part = TypeVar("Part", bound=tuple[Any, ...])
Setting = TypeVar("Setting")


class ReadOff:
    """A kind of part of which some facts are read off its functions, and so hold for these functions alone.

    A fact lets the engine take a short cut. If it stood beside the function as a member of its own, it would stay when
    somebody replaces the function, and the short cut would compute something else than the part says.
    """

    __slots__ = ()
    facts: ClassVar[Mapping[str, str]] = {}  # each by name, and what makes a function that it can be read off

    def _replace(self, **changes: Any) -> Any:
        for name in changes:
            if name in self.facts:
                raise InputError(
                    f"{type(self).__name__}.{name}: it is read off the function it belongs to, and cannot be replaced "
                    f"alone; write {self.facts[name]}"
                )
        return super()._replace(**changes)  # type: ignore[misc]

    def _tell_unused(self, **given: Any) -> None:
        """Warns of facts given beside functions, as they were once, unless they are those read off the functions."""
        cls = type(self)
        for name, value in given.items():
            if value is not None and not _are_same(value, getattr(self, name, None)):
                warnings.warn(
                    f"{cls.__name__}: {name} is not used, since nothing ties it to the functions given beside it; "
                    f"results are theirs. Write {cls.facts[name]}",
                    FutureWarning,
                    stacklevel=3,
                )


def _are_same(one: Any, other: Any) -> bool:
    """Whether two functions are the same one with the very same numbers bound."""
    structures: list[Any] = [jax.tree.structure(function) for function in (one, other)]
    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=False)
    return structures[0] == structures[1] and all(leaf is same for leaf, same in leaves)


def bound_to(base: Callable[..., Any], function: Any) -> dict[str, Any] | None:
    """What is bound by keyword to a function, if it is `base` with nothing but keywords bound; None for any other.

    Example:
      >>> bound_to(max, Partial(max, default=0)), bound_to(max, max), bound_to(max, lambda *a: max(*a))
      ({'default': 0}, None, None)
    """
    is_base = isinstance(function, functools.partial) and function.func is base and not function.args
    return function.keywords if is_base else None


def as_argument(part: Part) -> Part:
    """Makes a part (a NamedTuple of functions) fit to be passed to a compiled function.

    Each function becomes a `jax.tree_util.Partial`: the function itself is structure, and numbers bound to it by
    keyword are traced, so that another number needs no other program.

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
        raise InputError(f"{what}: expected a function, got {function!r}")
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
            given = part.bind(nodes)
        open_members = [name for name in part._fields if getattr(getattr(part, name), "func", None) is unbound]
        return as_argument(part._replace(bind=None, **{name: getattr(given, name) for name in open_members}))

    found: dict[str, Any] = jax.tree_util.tree_map_with_path(bind, parts, is_leaf=has_names)
    return found


def unbound(*_: Any) -> Any:
    """Stands for a member of a part that names nodes until a network says in which rows these stand.

    Raises:
      InputError: always.
    """
    raise InputError("this part names nodes, and no network says in which rows they stand; call its bind first")


def with_partials(setting: Setting) -> Setting:
    """Makes a setting fit to be passed to a compiled function: plain functions in its parts become `Partial`s.

    Settings are made by `jdgnn.gossip` and the like, which see to that; but one may have been changed since, as by
    `setting.replace(merge=rule)`.
    """

    def with_partial(leaf: Any) -> Any:
        return Partial(leaf) if callable(leaf) and not isinstance(leaf, Partial) else leaf

    # Partials are leaves here: jax.tree.map would make new ones, whose numbers stand in alphabetical order
    return cast(Setting, jax.tree.map(with_partial, setting, is_leaf=callable))


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
