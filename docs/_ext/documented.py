"""The directive `documented`: a table of names, and what their docstrings say; functions, classes and data alike."""

import inspect
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from jax.typing import ArrayLike, DTypeLike
from numpy import typing as numpy_typing
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import stringify_annotation

from docs._ext.fields import fields_of, first_sentence, text_after
from docs._ext.names import canonical_names, origin, resolved

ALIASES = {"ArrayLike": (ArrayLike, numpy_typing.ArrayLike), "DTypeLike": (DTypeLike, numpy_typing.DTypeLike)}
"""Unions that have a name, which Python forgets."""


class Documented(SphinxDirective):
    """Documents the names in its body, one a line, each by its docstring."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Writes the page that the names stand for, and has it parsed."""
        names = [line.strip() for line in self.content if line.strip()]
        lines = ["```{eval-rst}", *table(names), *(line for name in names for line in entry(name)), "```"]
        holder = nodes.container()
        self.state.nested_parse(StringList(lines, source=self.env.docname), self.content_offset, holder)
        return holder.children


def table(names: list[str]) -> list[str]:
    """A table of functions and classes with the first sentence of each; none for a single one."""
    rows = [(name, first_sentence(inspect.getdoc(resolved(name)) or "")) for name in names if callable(resolved(name))]
    if len(rows) < 2:
        return []
    cells = [line for name, told in rows for line in (f"   * - :py:obj:`{name}`", f"     - {told}")]
    return [".. list-table::", "   :class: summary", "   :widths: 30 70", "", *cells, ""]


def entry(name: str) -> list[str]:
    """What documents one name, in reStructuredText."""
    value = resolved(name)
    if inspect.ismodule(value):
        return [f".. py:module:: {name}", "", ".. py:currentmodule:: None", ""]
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, BaseException) else "class"
        return [f".. auto{kind}:: {name}", *_members(value), ""]
    if callable(value):
        return [f".. autofunction:: {name}", ""]
    return [f".. py:data:: {name}", "", *(f"   {line}" for line in _told(value)), ""]


def _members(value: type) -> list[str]:
    """The public methods of a class, or none where it is a tuple of functions."""
    own = [name for name, member in vars(value).items() if _is_shown(name, member) and member.__doc__]
    if issubclass(value, tuple) or not own:
        return ["   :no-members:"]
    return [f"   :members: {', '.join(own)}"]


def _is_shown(name: str, member: Any) -> bool:
    is_method = inspect.isfunction(member) or isinstance(member, property | classmethod)
    return is_method and not name.startswith("_") and name != "replace"


def _told(value: Any) -> list[str]:
    """What a registry or a tuple holds."""
    if not isinstance(value, dict):
        return [", ".join(f"``{one!r}``" for one in value), "", *text_after(value)]
    known = {origin(resolved(name)): name for name in set(canonical_names().values())}
    found = {key: known.get(origin(one)) for key, one in value.items()}
    return ["By name: " + ", ".join(_linked(key, name) for key, name in found.items()) + "."]


def _linked(key: str, name: str | None) -> str:
    return f"``{key}``" if name is None else f":py:obj:`{key} <{name}>`"


def add_fields(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Adds the fields of a class whose docstring leaves them to the comments beside them."""
    del app, name, options
    if what == "class" and not any(line.startswith((".. attribute::", ":ivar", ":param")) for line in lines):
        lines.extend(fields_of(value))


def shorten_types(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Writes unions that have a name by their name."""
    del app, what, name, value, options
    return _shortened(signature), _shortened(returned)


def _shortened(signature: str | None) -> str | None:
    for alias, unions in ALIASES.items():
        for union in unions:
            signature = signature and signature.replace(stringify_annotation(union, "smart"), alias)
    return signature


def setup(app: Sphinx) -> dict[str, Any]:
    """Adds the directive."""
    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("documented", Documented)
    app.connect("autodoc-process-docstring", add_fields, priority=900)
    app.connect("autodoc-process-signature", shorten_types)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
