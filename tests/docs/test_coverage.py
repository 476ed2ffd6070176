"""Every public name has a page, and the extensions of the documentation do what they say. None of this needs Sphinx."""

import doctest
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

import jdgnn
from docs._ext import fields, names
from docs._ext.names import canonical_names, documented_names, missing, names_on, pages, public_modules, undocumented
from tests.samples import KINDS

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENTED = {one for page in pages(DOCS) for one in names_on(page.read_text())}


def test_every_public_name_stands_on_a_page() -> None:
    assert missing(DOCUMENTED) == []


def test_pages_document_nothing_that_is_not_there() -> None:
    beside = tuple(names.BESIDE)
    assert {one for one in DOCUMENTED - documented_names() if not one.startswith(beside)} == set()


def test_every_registered_part_is_public() -> None:
    public = {
        id(getattr(module, one)) for module in public_modules().values() for one in getattr(module, "__all__", ())
    }
    registries = {kind: registry for kind, registry in KINDS.items() if isinstance(registry, Mapping)}
    parts = {f"{kind}.{name}": make for kind, registry in registries.items() for name, make in registry.items()}
    assert {name for name, make in parts.items() if id(make) not in public} == set()


def test_what_is_public_says_what_it_is() -> None:
    assert undocumented() == []


def test_all_of_the_package_and_its_public_subpackages_is_counted() -> None:
    assert {f"jdgnn.{name}" for name in jdgnn.__all__} <= canonical_names().keys()
    assert {"jdgnn.evaluation", "jdgnn.links", "jdgnn.network", "jdgnn.schedules"} <= public_modules().keys()


def test_a_new_public_name_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    def novelty() -> None:
        """New."""

    monkeypatch.setattr(jdgnn.merging, "novelty", novelty, raising=False)
    monkeypatch.setattr(jdgnn.merging, "__all__", [*jdgnn.merging.__all__, "novelty"])
    assert missing(DOCUMENTED) == ["jdgnn.merging.novelty"]
    novelty.__doc__ = None
    assert undocumented() == ["jdgnn.merging.novelty"]


def test_one_object_has_one_name() -> None:
    found = canonical_names()
    assert found["jdgnn.layers.gcn"] == found["jdgnn.gcn"] == "jdgnn.gcn"
    assert found["jdgnn.network.ring"] == "jdgnn.generators.ring"
    assert found["jdgnn.clocks.always"] != found["jdgnn.acceptance.always"]


def test_fields_have_the_comments_beside_them() -> None:
    assert any("share of joined nodes" in line for line in fields.fields_of(jdgnn.History))
    assert fields.fields_of(jdgnn.Layer) == []


@pytest.mark.parametrize("module", [names, fields], ids=["names", "fields"])
def test_examples_of_the_extensions_run(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0
