"""The examples in the docstrings run and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import jdgnn

MODULES = [
    "jdgnn",
    *(module.name for module in pkgutil.walk_packages(jdgnn.__path__, "jdgnn.") if module.name != "jdgnn.__main__"),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
