"""README and docs do what they say: their examples run, and their figures are those that were measured."""

import importlib
import json
import re
from pathlib import Path

import pytest

from tests.support import run_optimised

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = [
    pytest.param(example, id=f"{page.name} {number}")
    for page in PAGES
    for number, example in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
]
TABLES = [
    pytest.param(*found, id=f"{page.name} {found[0]} {found[1]}")
    for page in PAGES
    for found in re.findall(
        r"<!-- results: python -m (bench\.\w+) --(\w+) -->\n(.*?)<!-- end of results -->", page.read_text(), re.DOTALL
    )
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_run(example: str, tmp_path: Path) -> None:
    assert run_optimised("-W", "error", "-c", example, folder=tmp_path)


def test_the_first_example_takes_fifteen_lines() -> None:
    first = EXAMPLES[0].values[0]
    assert isinstance(first, str)
    assert len([line for line in first.splitlines() if line.strip()]) <= 15


@pytest.mark.parametrize(("module", "option", "shown"), TABLES)
def test_figures_are_those_of_the_committed_result(module: str, option: str, shown: str) -> None:
    bench = importlib.import_module(module)
    table = bench.table if option == "table" else getattr(bench, f"{option}_table")
    assert shown.strip() == table(json.loads(bench.RESULT.read_text()))


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), (page.name, target)
