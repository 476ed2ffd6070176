"""Configurations that come with jdgnn are found by name, also where it is installed; what is typed first helps."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jdgnn.experiment.cli.main import main
from jdgnn.experiment.cli.running import name_of
from jdgnn.experiment.config import schema, shipped
from tests.support import ROOT

NAMES = sorted(path.stem for path in (ROOT / "configs").glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_bare_name_is_that_of_a_configuration_that_comes_along(name: str) -> None:
    assert schema.read_tables(Path(name)) == schema.read_tables(ROOT / "configs" / f"{name}.toml")
    assert name_of(Path(name)) == name


def test_the_installed_package_has_them_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "jdgnn"
    package.mkdir()
    shutil.copytree(ROOT / "configs", package / "configs")
    monkeypatch.setattr(shipped, "files", lambda name: tmp_path / name)
    shipped.shipped.cache_clear()
    assert sorted(shipped.shipped()) == NAMES
    tables = schema.read_tables(Path("own-files"))
    shipped.shipped.cache_clear()
    for key in ("edges", "nodes"):
        assert Path(tables["network"][key]).is_relative_to(package / "configs" / "office")
        assert Path(tables["network"][key]).is_file()


def test_a_file_goes_before_a_name_and_a_folder_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cora").mkdir()
    assert schema.read_tables(Path("cora"))["network"] == {"name": "cora"}
    (tmp_path / "peers").write_text("network = 'digits'\n")
    assert schema.read_tables(Path("peers")) == {"network": "digits"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("corra", "corra: there is no such file; give the path of a TOML file, or a configuration that comes with "),
        ("configs/cora.toml", "give the path of a TOML file, or cora, which comes with jdgnn\n"),
        ("somewhere/mine.toml", "there is no such file; give the path of a TOML file\n"),
    ],
)
def test_what_is_not_there_is_told_with_what_there_is(
    given: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", given]) == 2
    assert sentence in capsys.readouterr().err


def test_they_are_listed_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["configs"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert all(f"\n  {name} " in text for name in NAMES)
    assert main(["configs", "cora"]) == 0
    assert capsys.readouterr().out == (ROOT / "configs" / "cora.toml").read_text()
    assert main(["configs", "corra"]) == 2
    assert "got 'corra'; allowed: churn" in capsys.readouterr().err


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "The first three commands to type" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ("ticks=5", "key; write emulation.ticks or checkpoints.ticks"),
        ("units=3", "key; write layers.0.units"),
        ("horizon=9", "key; write optimizer.rate_schedule.horizon"),
        ("emulation.fanout=3", "record_every, ticks; elsewhere it is push.fanout or gossip.fanout"),
        ("push.drop=0.1", "elsewhere it is push.link.drop or publish.link.drop or gossip.link.drop"),
    ],
)
def test_a_key_in_the_wrong_place_is_told_its_place(
    change: str, places: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "cora", "--set", change]) == 2
    assert capsys.readouterr().err.endswith(f"{places}\n")


def test_output_that_nobody_reads_ends_in_silence() -> None:
    command = f"{sys.executable} -m jdgnn parts | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (ended.returncode, ended.stderr) == (141, "")
