"""The README does what it says: its examples run, and its figures are those that were measured."""

import json
import re
from pathlib import Path

import pytest

from bench.learning import RESULT, table
from tests.support import run_optimised

README = (Path(__file__).parents[1] / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"example {i}" for i in range(len(EXAMPLES))])
def test_examples_run(example: str) -> None:
    assert run_optimised("-W", "error", "-c", example)


def test_the_first_example_takes_fifteen_lines() -> None:
    assert len([line for line in EXAMPLES[0].splitlines() if line.strip()]) <= 15


def test_figures_are_those_of_the_committed_result() -> None:
    shown = re.search(r"<!-- results.*?-->\n(.*?)\n<!-- end of results -->", README, re.DOTALL)
    assert shown is not None
    assert shown.group(1).strip() == table(json.loads(RESULT.read_text()))
