"""What all tests of the command line share."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from jdgnn.evaluation import fitting
from jdgnn.experiment.cli.main import main
from tests.experiment.run_support import CONFIG, FEW, Variants


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are folded alike on every terminal."""
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(autouse=True, scope="module")
def few_fits() -> Iterator[None]:
    """Probes try few settings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "REGULARISATIONS", FEW)
        yield


@pytest.fixture(scope="session")
def variants(tmp_path_factory: pytest.TempPathFactory) -> Variants:
    """The tiny configuration with three seeds, and another push.fanout with two of them; not to be written to."""
    folder = tmp_path_factory.mktemp("variants")
    config, first, second = folder / "tiny.toml", folder / "a", folder / "b"
    config.write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        patch.setattr(fitting, "REGULARISATIONS", FEW)
        output = _printed(config, "--seeds", "3", "--out", str(first))
        _printed(config, "--seeds", "2", "--out", str(second), "--set", "push.fanout=4")
    return Variants(config, first, second, output)


def _printed(config: Path, *options: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        assert main(["run", str(config), *options]) == 0
    return output.getvalue()
