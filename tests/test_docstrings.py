"""The examples in the docstrings run and print what they say."""

import doctest
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import jdgnn
from tests.offenders import assert_none

MODULES = [
    "jdgnn",
    *(module.name for module in pkgutil.walk_packages(jdgnn.__path__, "jdgnn.") if module.name != "jdgnn.__main__"),
]
PACKAGES = [module.name for module in pkgutil.iter_modules(jdgnn.__path__, "jdgnn.") if module.ispkg]


def _modules_of(package: str) -> list[str]:
    """The modules of a package; of `jdgnn` itself, those that stand in no other."""
    if package == "jdgnn":
        return [name for name in MODULES if not any(f"{name}.".startswith(f"{other}.") for other in PACKAGES)]
    return [name for name in MODULES if f"{name}.".startswith(f"{package}.")]


def _failures(name: str) -> Iterator[str]:
    """Docstrings of a module whose examples print something else, with what they print."""
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name), name):
        said: list[str] = []
        if runner.run(test, out=said.append).failed:
            yield f"{test.name}\n{''.join(said)}"


@pytest.mark.parametrize("package", ["jdgnn", *PACKAGES])
def test_examples_of_a_package_run(package: str) -> None:
    assert_none(
        (failure for name in _modules_of(package) for failure in _failures(name)), "examples print what they say"
    )


def test_every_module_stands_in_one_package() -> None:
    assert sorted(name for package in ["jdgnn", *PACKAGES] for name in _modules_of(package)) == sorted(MODULES)
