"""Several processes: they share the work, end orderly, and go on to the same bits."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.experiment.run_support import CONFIG
from tests.support import ROOT

TICKS = 4000


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    (tmp_path / "tiny.toml").write_text(CONFIG)
    options = ["--set", "optimizer.learning_rate=0.01,0.02", "--set", f"emulation.ticks={TICKS}"]
    return [sys.executable, "-m", "jdgnn.experiment.cli", "sweep", str(tmp_path / "tiny.toml"), *options]


def _digests(directory: Path) -> dict[str, str]:
    with (directory / "sweep.csv").open(newline="") as file:
        return {line["directory"]: line["digest"] for line in csv.DictReader(file)}


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs signals of POSIX")
def test_processes_end_orderly_and_go_on_to_the_same_bits(command: list[str], tmp_path: Path) -> None:
    out = tmp_path / "several"
    several = subprocess.Popen(
        [*command, "--jobs", "2", "--out", str(out)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(list(out.glob("*/seed-0/metrics.jsonl"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(several.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, error = several.communicate(timeout=120)
    assert several.returncode == 130, error
    assert f"0 of 2 runs are finished and kept in {out}; go on with them: jdgnn sweep --resume {out}" in error
    assert len(list(out.glob("*/seed-0/checkpoints/*"))) == 2
    done = subprocess.run([*command[:4], "--resume", str(out), "--jobs", "2"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 runs of 2 combinations")
    alone = subprocess.run([*command, "--out", str(tmp_path / "one")], cwd=ROOT, capture_output=True, text=True)
    assert alone.returncode == 0, alone.stderr
    assert _digests(out) == _digests(tmp_path / "one")
