"""Descriptions of parts, from their functions: a name and the numbers bound to it."""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

MAIN = (
    "aggregate",
    "step_outer",
    "weigh",
    "apply",
    "step",
    "sample",
    "merge",
    "decide",
    "probability",
    "corrupt",
    "choose",
    "init",
)
"""The first of these members that a part has names it."""

DEEPEST = 10  # wrappers around a function that are looked through

IN_WORDS = {"descend": "sgd", "weigh_by_age": "age_weighted"}
"""Names of parts whose functions have other names."""


def described(part: Any) -> str:
    """Describes a part by what made it and its numbers; a layer by its aggregation; None as `none`.

    Example:
      >>> from jdgnn.learning.objectives import info_nce
      >>> from jdgnn.protocol.merging import average
      >>> described(info_nce(0.2)), described(average()), described(None)
      ('info_nce(temperature=0.2)', 'average', 'none')
    """
    if part is None:
        return "none"
    main, *others = [getattr(part, name) for name in MAIN if getattr(part, name, None) is not None] or [part]
    numbers = dict(_numbers(main))
    for member in others:
        numbers |= {name: value for name, value in _numbers(member) if name not in numbers}
    told = ", ".join(f"{name}={_short(value)}" for name, value in numbers.items())
    name = f"{_named(main)}({told})" if told else _named(main)
    return name if getattr(part, "view", None) is None else f"{name} of {described(part.view)}"


def _named(function: Any) -> str:
    """The name of a function: the module's for private functions of jdgnn, else its own."""
    inner = _innermost(function)
    name, module = getattr(inner, "__name__", type(inner).__name__), getattr(inner, "__module__", "") or ""
    if not module.startswith("jdgnn."):
        return name
    return module.rpartition(".")[2] if name.startswith("_") else IN_WORDS.get(name, name.replace("_", " "))


def _innermost(function: Any) -> Any:
    for _ in range(DEEPEST):
        function = getattr(function, "func", None) or getattr(function, "fun", None) or function
    return function


def _numbers(function: Any) -> Iterator[tuple[str, Any]]:
    """The numbers bound to a function and to functions bound to it, innermost first."""
    bound = getattr(function, "keywords", None) or {}
    inner = getattr(function, "func", None) or getattr(function, "fun", None)
    if inner is not None:
        yield from _numbers(inner)
    for name, value in bound.items():
        if isinstance(value, dict):
            yield from value.items()
        elif hasattr(value, "_fields"):
            yield name, described(value)
        elif isinstance(value, functools.partial) or callable(value):
            yield from _numbers(value)
        elif isinstance(value, bool | int | float | str) or (np.ndim(value) == 0 and hasattr(value, "dtype")):
            yield name, value
        else:
            yield name, f"array of shape {list(np.shape(value))}" if hasattr(value, "shape") else type(value).__name__


def _short(value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{value:g}" if isinstance(value, float) or hasattr(value, "dtype") else str(value)
