"""What could make figures mean less than they seem to is counted in the summary, and said at the end."""

from pathlib import Path
from typing import Any

import pytest

from jdgnn.experiment.cli.main import main
from tests.experiment.run_support import CONFIG, arrays, summary


def warned(folder: Path, capsys: pytest.CaptureFixture[str], *overrides: str) -> tuple[dict[str, Any], str]:
    """Warnings of a run with these changes, and what it printed."""
    (folder / "tiny.toml").write_text(CONFIG)
    changes = [argument for override in overrides for argument in ("--set", override)]
    assert main(["run", str(folder / "tiny.toml"), "--out", str(folder / "run"), *changes]) == 0
    return summary(folder / "run")["warnings"], " ".join(capsys.readouterr().out.split())


def test_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warnings, _ = warned(tmp_path, capsys)
    for name in ("undelivered_kinds", "zero_embeddings", "vanished_models", "never_awake", "collapsed_layers"):
        assert not warnings[name]
    assert warnings["never_trained"] == [0]


@pytest.mark.long
def test_no_communication_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = [f"{kind}.link.drop=1.0" for kind in ("publish", "gossip")]
    warnings, output = warned(tmp_path, capsys, *lost)
    assert warnings["undelivered_kinds"] == ["embedding", "model"]
    assert "no embeddings were ever delivered" in output
    assert "no models were ever delivered" in output


def test_what_is_switched_off_need_not_be_delivered_and_nodes_without_positives_and_zeros_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = "layers.0={name = 'gcn', units = 1, activation = 'relu', normalize = false}"
    warnings, output = warned(tmp_path, capsys, "gossip.enabled=false", "network.mean_degree=1.0", dead)
    assert warnings["undelivered_kinds"] == []
    assert warnings["never_trained"][0] >= warnings["isolated_nodes"] > 0
    assert f"nodes that never made a training step, by layer: {warnings['never_trained'][0]}" in output
    embeddings = arrays(tmp_path / "run", "embeddings.npz")["embeddings"]
    assert warnings["zero_embeddings"] == (embeddings == 0).all(axis=1).sum() > 0
    assert "nodes have an embedding of zeros only" in output


@pytest.mark.long
def test_models_that_vanish_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apart = ("emulation.initial=independent", "network.num_nodes=400", "optimizer.learning_rate=1e-6")
    warnings, output = warned(tmp_path, capsys, *apart, "emulation.ticks=60")
    ratios = arrays(tmp_path / "run", "nodes.npz")["norm_ratio"]
    assert warnings["vanished_models"] == (ratios < 0.1).sum() > 0
    assert f"on {warnings['vanished_models']} nodes the parameter norm has fallen below 10 %" in output
