"""The public names of jdgnn, and the one name under which each is documented. Needs no Sphinx."""

import functools
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jdgnn
from jdgnn import estimator, reference
from jdgnn.learning import aggregation
from jdgnn.protocol import recording

BESIDE = {
    "jdgnn.estimator": estimator,
    "jdgnn.learning.aggregation": aggregation,
    "jdgnn.protocol.recording": recording,
    "jdgnn.reference": reference,
}
"""Modules that are no attributes of `jdgnn` and that its docstrings send users to."""

DOCS = Path(__file__).parents[1]
DIRECTIVE = re.compile(r"```\{documented\}\n(.*?)```", re.DOTALL)
DOTTED = re.compile(r"^(jdgnn(?:\.\w+)+)(?:\(.*\))?$", re.DOTALL)
BARE = re.compile(r"^([A-Z][A-Za-z]+)$")
METHOD = re.compile(r"^emulator\.([a-z]\w*)(?:\(.*\))?$", re.DOTALL)
"""Code that names something: with all its dots, a type by itself, or what an emulator does."""


def public_modules() -> dict[str, ModuleType]:
    """The public subpackages by the names users know them by; `network`, which gathers others, comes last."""
    modules = {f"jdgnn.{name}": getattr(jdgnn, name) for name in jdgnn.__all__}
    modules = {name: module for name, module in modules.items() if inspect.ismodule(module)}
    gathering = modules.pop("jdgnn.network")
    return {"jdgnn": jdgnn, **modules, "jdgnn.network": gathering}


def exported(module: ModuleType) -> list[str]:
    """What a module says is public, or what it defines without an underscore."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [name for name, value in vars(module).items() if _is_of(module, name, value)]


def _is_of(module: ModuleType, name: str, value: Any) -> bool:
    if name.startswith("_"):
        return False
    if inspect.isfunction(value) or inspect.isclass(value):
        return value.__module__ == module.__name__
    return name.isupper() and f"\n{name}" in inspect.getsource(module)


def origin(value: Any) -> str | int:
    """Tells objects apart: where a function or class was defined, the number of anything else."""
    if inspect.isfunction(value) or inspect.isclass(value):
        return f"{value.__module__}.{value.__qualname__}"
    wrapped = getattr(value, "__wrapped__", None)  # behind a cache
    return id(value) if wrapped is None else origin(wrapped)


def canonical_names() -> dict[str, str]:
    """Every public name, and the name under which the same object is documented.

    >>> canonical_names()["jdgnn.network.ring"], canonical_names()["jdgnn.layers.gcn"]
    ('jdgnn.generators.ring', 'jdgnn.gcn')
    """
    first: dict[str | int, str] = {}
    names = {}
    for where, module in public_modules().items():
        for name in exported(module):
            value = getattr(module, name)
            names[f"{where}.{name}"] = first.setdefault(origin(value), f"{where}.{name}")
    return names


def documented_names() -> set[str]:
    """The names that must stand on a page."""
    return set(canonical_names().values())


def names_on(page: str) -> list[str]:
    """The names that a page documents, from its text."""
    return [line.strip() for block in DIRECTIVE.findall(page) for line in block.splitlines() if line.strip()]


def pages(folder: Path) -> Iterator[Path]:
    """The pages of the documentation that were written by hand."""
    return (page for page in sorted(folder.rglob("*.md")) if not page.relative_to(folder).parts[0].startswith("_"))


@functools.cache
def names_beside() -> set[str]:
    """The names of modules that are no attributes of `jdgnn`, as far as they are documented."""
    found = {name for page in pages(DOCS) for name in names_on(page.read_text())}
    return {name for name in found if name.startswith(tuple(BESIDE))} | {"jdgnn.protocol.recording"}


def resolved(name: str) -> Any:
    """The object of a dotted name that begins with jdgnn.

    Raises:
      LookupError: there is none.
    """
    value: Any = jdgnn
    for part in name.split(".")[1:]:
        if not hasattr(value, part):
            raise LookupError(name)
        value = getattr(value, part)
    return value


def missing(names: Iterable[str]) -> list[str]:
    """Public names that are not among those documented.

    >>> "jdgnn.gcn" in missing([]), "jdgnn.gcn" in missing(["jdgnn.gcn"])
    (True, False)
    """
    return sorted(documented_names() - set(names))


def undocumented() -> list[str]:
    """Public functions, classes and modules without a docstring."""
    values = {name: resolved(name) for name in documented_names()}
    told = (name for name, value in values.items() if callable(value) or inspect.ismodule(value))
    return sorted(name for name in told if not inspect.getdoc(values[name]))


def target_of(text: str) -> str | None:
    """The documented name that a piece of code names, or None.

    >>> target_of("jdgnn.layers.gcn(64)"), target_of("jdgnn.Emulator.memory"), target_of("State"), target_of("state")
    ('jdgnn.gcn', 'jdgnn.Emulator.memory', 'jdgnn.State', None)
    >>> target_of("emulator.embeddings(state)"), target_of("emulator.push")
    ('jdgnn.Emulator.embeddings', None)
    """
    names = canonical_names()
    if found := DOTTED.match(text):
        name = found.group(1)
        head, _, tail = name.rpartition(".")
        if name.startswith(tuple(BESIDE)):
            return name if name in names_beside() else None
        return names.get(name) or (f"{names[head]}.{tail}" if head in names else None)
    if found := METHOD.match(text):
        is_method = inspect.isfunction(getattr(jdgnn.Emulator, found.group(1), None))
        return f"jdgnn.Emulator.{found.group(1)}" if is_method else None
    return names.get(f"jdgnn.{text}") if BARE.match(text) else None
