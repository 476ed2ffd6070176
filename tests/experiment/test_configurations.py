"""The configurations that come along run, cut short, and are explained."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

from jdgnn.experiment.cli.main import main
from jdgnn.network.datasets import DATASETS
from tests.experiment.run_support import summary
from tests.seldom import mostly_long

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").glob("*.toml"))
FEW = {
    "stochastic_block_model": [
        "network.num_nodes=80",
        "evaluation={num_splits = 1, per_class = 2, validation = 0.5}",
    ],
    "files": [],
}
"""What makes a network small enough for a test; data sets are run by tests of their own."""
SMALL = [path for path in CONFIGS if tomllib.loads(path.read_text())["network"]["name"] in FEW]


@pytest.mark.parametrize("name", mostly_long([path.stem for path in SMALL], ["own-files", "churn", "merging"]))
def test_a_configuration_runs(name: str, tmp_path: Path) -> None:
    path = next(path for path in SMALL if path.stem == name)
    tables = tomllib.loads(path.read_text())
    changes = [*FEW[tables["network"]["name"]], "emulation.ticks=3", "checkpoints.keep=0"]
    if "layers" in tables:
        changes.append("layers.0.units=4")
    options = [word for change in changes for word in ("--set", change)]
    assert main(["run", str(path), "--out", str(tmp_path / "run"), *options]) == 0
    found = summary(tmp_path / "run")
    assert found["ticks"] == 3
    assert found["tasks"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_configuration_says_first_what_it_is_and_how_to_run_it(path: Path) -> None:
    text = path.read_text()
    assert re.match(rf"# .+: `jdgnn run {path.stem}( --data-root DIR)?`\n#\n# ", text)
    assert max(map(len, text.splitlines())) <= 124
    for other in re.findall(r"(?:configs|docs)/[\w./-]+\.\w+", text):
        assert (ROOT / other).exists(), other


def test_data_sets_and_files_are_all_there_is_beside_what_is_run_here() -> None:
    names = {tomllib.loads(path.read_text())["network"]["name"] for path in CONFIGS}
    assert names <= {*DATASETS, *FEW}


def test_the_office_is_what_its_script_makes_up() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "office.py"))["tables"]()
    for name, text in made.items():
        assert (ROOT / "configs" / "office" / name).read_text() == text
