"""The configuration of the site is strict: what would let it rot is switched on."""

import ast
from pathlib import Path
from typing import Any

from docs._ext.names import pages

DOCS = Path(__file__).parents[2] / "docs"


def settings() -> dict[str, Any]:
    """What `docs/conf.py` sets to plain values; it is not run, which would take Sphinx's place."""
    found = {}
    for node in ast.parse((DOCS / "conf.py").read_text()).body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                assert isinstance(target, ast.Name | ast.Subscript)
                if isinstance(target, ast.Name) and isinstance(node.value, ast.Constant | ast.List | ast.Dict):
                    found[target.id] = ast.literal_eval(node.value)
    return found


def test_names_that_lead_nowhere_and_notebooks_that_fail_end_the_build() -> None:
    found = settings()
    assert found["nitpicky"] is True
    assert found["nb_execution_raise_on_error"] is True
    assert found["nb_execution_mode"] in ("cache", "force")
    assert "docs._ext.coverage" in found["extensions"]
    assert "suppress_warnings" not in found


def test_files_that_the_configuration_names_are_there() -> None:
    found = settings()
    for name in [*found["html_css_files"], Path(found["html_logo"]).name, Path(found["html_favicon"]).name]:
        assert (DOCS / "_static" / name).is_file()
    for extension in found["extensions"]:
        if extension.startswith("docs."):
            assert (DOCS.parent / f"{extension.replace('.', '/')}.py").is_file()


def test_drawings_are_shown_and_are_there() -> None:
    shown = {
        (page.parent / line.removeprefix(":file:").strip()).resolve()
        for page in pages(DOCS)
        for line in page.read_text().splitlines()
        if line.startswith(":file:")
    }
    assert shown == {path.resolve() for path in (DOCS / "drawings").glob("*.svg")}
