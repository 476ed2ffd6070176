"""What is told of settings that made no difference, and of a rate whose end does not go with the ticks."""

from pathlib import Path
from typing import Any

import pytest

from jdgnn.experiment.cli.main import main
from tests.experiment.run_support import CONFIG, summary


def _run(tmp_path: Path, *changes: str, name: str = "run") -> dict[str, Any]:
    (tmp_path / "a.toml").write_text(CONFIG)
    settings = [part for change in changes for part in ("--set", change)]
    assert main(["run", str(tmp_path / "a.toml"), "--out", str(tmp_path / name), "--no-report", *settings]) == 0
    return summary(tmp_path / name)


@pytest.mark.long
def test_a_rule_by_age_in_step_is_told_and_does_what_the_mean_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_age = _run(tmp_path, "gossip.merge=age_weighted", "snapshots.nodes=0")
    told = "gossip.merge = age_weighted did what average does: in step, all models have the same age"
    assert by_age["without_effect"] == [told]
    assert f"note    {told}" in capsys.readouterr().out
    mean = _run(tmp_path, "snapshots.nodes=0", name="mean")
    assert mean["without_effect"] == []
    assert mean["tasks"] == by_age["tasks"]
    assert mean["consensus_distance"] == pytest.approx(by_age["consensus_distance"], rel=1e-5)


def test_more_ticks_than_a_rate_has_steps_are_told_with_both_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schedule = "optimizer.rate_schedule={name = 'until', horizon = 4}"
    _run(tmp_path, schedule, "emulation.ticks=4", "snapshots.nodes=0")
    assert "note" not in [line.split(" ")[0] for line in capsys.readouterr().out.splitlines() if "horizon" in line]
    assert main(["run", "--resume", str(tmp_path / "run"), "--set", "emulation.ticks=30"]) == 0
    output = capsys.readouterr().out
    start = "note: nodes learn in their first 4 steps (optimizer.rate_schedule.horizon) and then only merge; "
    assert f"{start}30 ticks are asked for" in output
    assert f"{start.replace('note: ', 'note    ')}29 steps were made" in output or "30 steps were made" in output
    assert summary(tmp_path / "run")["horizon"]["horizon"] == 4
