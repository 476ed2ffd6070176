"""A run of an earlier version stays readable: report, compare, export, `load_run` and its embeddings.

`earlier_run.zip` is the directory of a run of 0.2.0.dev0 from before summaries had several tasks.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

import jdgnn
from jdgnn.experiment.cli.main import main
from tests.experiment.run_support import arrays

EARLIER = Path(__file__).parent / "earlier_run.zip"


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    shutil.unpack_archive(EARLIER, tmp_path / "earlier")
    return tmp_path / "earlier"


def test_it_is_loaded(earlier: Path) -> None:
    run = jdgnn.load_run(earlier)
    assert int(run.state.tick) == run.summary["ticks"] == 6
    assert list(run.summary["tasks"]) == ["linear_probe"]
    np.testing.assert_array_equal(run.embeddings, arrays(earlier, "embeddings.npz")["embeddings"])


def test_it_is_exported(earlier: Path, tmp_path: Path) -> None:
    assert main(["export", str(earlier), str(tmp_path / "nodes.csv")]) == 0
    assert len((tmp_path / "nodes.csv").read_text().splitlines()) == 41


def test_it_has_a_report(earlier: Path) -> None:
    assert main(["report", str(earlier)]) == 0
    page = (earlier / "report.html").read_text()
    assert "learning-score-linear_probe" in page


def test_it_is_compared_with_a_new_run_by_the_task_that_both_have(
    earlier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new"
    config = (earlier / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(config)
    with pytest.warns(FutureWarning):  # its keys have former names
        assert main(["run", str(tmp_path / "config.toml"), "--out", str(new), "--no-report"]) == 0
    capsys.readouterr()
    assert main(["compare", str(earlier), str(new)]) == 0
    output = capsys.readouterr().out
    assert output.startswith("Linear probe, accuracy %, on stochastic_block_model")
    assert "not all runs were evaluated by clustering, few_labels, knn" in output
