"""A small finished run with two layers, and its page."""

import contextlib
import io

import pytest

from jdgnn.evaluation import fitting
from jdgnn.experiment.cli.main import main
from tests.experiment.report.pages import TWO_LAYERS, Reported
from tests.experiment.run_support import FEW


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """Not to be written to."""
    folder = tmp_path_factory.mktemp("reported")
    config = folder / "two.toml"
    config.write_text(TWO_LAYERS)
    with contextlib.redirect_stdout(io.StringIO()) as output, pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "REGULARISATIONS", FEW)
        assert main(["run", str(config), "--out", str(folder / "run")]) == 0
    return Reported(config, folder / "run", output.getvalue())
