"""Links that are held out, and runs that are evaluated by other tasks afterwards."""

import shutil
from pathlib import Path

import pytest

from jdgnn.experiment.cli.main import main
from tests.experiment.run_support import Variants, summary

HOLDING = 'evaluation.tasks=["link_prediction", "clustering"]'


def test_held_out_links_are_told_at_every_number(
    variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(variants.config), "--out", str(tmp_path / "run"), "--set", HOLDING]) == 0
    output = capsys.readouterr().out
    found = summary(tmp_path / "run")
    assert list(found["tasks"]) == ["link_prediction", "clustering"]
    assert found["held_out_links"]["share"] == 0.1
    whole = summary(variants.first / "seed-0")["directed_edges"]
    assert found["directed_edges"] == whole - 2 * found["held_out_links"]["pairs"]
    told = "learned without 10 % of the links, held out for link prediction"
    assert told in " ".join(output.split())
    page = (tmp_path / "run" / "report.html").read_text()
    assert page.count(told) >= 2


def test_runs_with_and_without_held_out_links_are_not_compared(
    variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(variants.config), "--out", str(tmp_path / "run"), "--set", HOLDING, "--no-report"]) == 0
    assert main(["compare", str(variants.first / "seed-0"), str(tmp_path / "run")]) == 2
    assert "links were held out for link prediction" in capsys.readouterr().err
    command = ["run", "--resume", str(tmp_path / "run"), "--set", 'evaluation.tasks=["clustering"]']
    assert main(command) == 2
    assert "evaluation.tasks" in capsys.readouterr().err


def test_a_finished_run_is_evaluated_by_other_tasks(variants: Variants, tmp_path: Path) -> None:
    shutil.copytree(variants.first / "seed-0", tmp_path / "run")
    before = summary(tmp_path / "run")
    assert main(["run", "--resume", str(tmp_path / "run"), "--set", 'evaluation.tasks=["knn", "clustering"]']) == 0
    after = summary(tmp_path / "run")
    assert list(after["tasks"]) == ["knn", "clustering"]
    assert after["tasks"]["clustering"] == before["tasks"]["clustering"]
    assert after["digest"] == before["digest"]
