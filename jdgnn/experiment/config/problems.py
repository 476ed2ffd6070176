"""What is wrong with a configuration, in one sentence that names the key, the value and what is allowed."""

import re
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from jdgnn.errors import InputError, suggestion

Path = tuple[int | str, ...]

_WANTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "int_type": "a whole number",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "list_type": "a list",
    "model_type": "a table",
    "string_type": "text",
    "too_short": "at least {min_length}",
}


class Problem(ValueError):
    """Something wrong at a key; raised while a table is checked, with the path relative to that table."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(text)
        self.path = path
        self.text = text

    def inside(self, path: Path) -> "Problem":
        """The same problem, seen from the table that holds this one at `path`."""
        return type(self)((*path, *self.path), self.text)

    def as_input_error(self) -> InputError:
        """The sentence."""
        path = ".".join(str(key) for key in self.path)
        return InputError(f"{path}: {self.text}" if path else self.text)


class UnknownKey(Problem):
    """A key that does not exist where it stands."""


def shown(value: Any) -> str:
    """A value as a reader of the file would name it.

    >>> shown(True), shown("fast"), shown({"units": 3})
    ('true', "'fast'", 'a table')
    """
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = repr(value) if isinstance(value, str) else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return text if len(text) <= 60 else text[:57] + "..."


def first_problem(error: ValidationError, model: type[BaseModel]) -> Problem:
    """The problem to report: a key that does not exist if there is one, as it often explains the others."""
    details = error.errors()
    return _problem(next((one for one in details if one["type"] == "extra_forbidden"), details[0]), model)


def from_factory(error: InputError, keys: typing.Iterable[str]) -> Problem:
    """The problem a factory found; its message begins with the argument's name, which is a key of the table."""
    name, _, rest = str(error).partition(": ")
    return Problem((name,), rest) if name in keys and rest else Problem((), str(error))


def _problem(details: ErrorDetails, model: type[BaseModel]) -> Problem:
    path, kind, given, context = details["loc"], details["type"], details["input"], details.get("ctx", {})
    if isinstance(context.get("error"), Problem):
        return context["error"].inside(path)
    if kind == "extra_forbidden":
        allowed = _model_at(model, path[:-1]).model_fields
        return UnknownKey(path, f"got {shown(given)}, and there is no such key; {suggestion(str(path[-1]), allowed)}")
    if kind == "missing":
        return Problem(path, "is missing, and has no default")
    if kind == "literal_error":
        names = re.findall(r"'([^']*)'", context["expected"])
        return Problem(path, f"got {shown(given)}; {suggestion(str(given), names)}")
    wanted = _WANTED[kind].format(**context) if kind in _WANTED else details["msg"]
    return Problem(path, f"expected {wanted}, got {shown(given)}")


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    for key in path:
        annotation = model.model_fields[str(key)].annotation
        assert isinstance(annotation, type)
        model = annotation
    return model
