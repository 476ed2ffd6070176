"""Several processes: they share the work, end orderly, and resume with the same bits."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jdgnn.experiment.cli.main import main
from jdgnn.experiment.sweep.processes import shares
from tests.experiment.run_support import CONFIG, RING
from tests.support import ROOT


def _digests(directory: Path) -> dict[str, str]:
    with (directory / "sweep.csv").open(newline="") as file:
        return {line["directory"]: line["digest"] for line in csv.DictReader(file)}


def test_every_process_has_cores_and_none_is_idle() -> None:
    for num_cores in range(1, 9):
        for jobs in range(1, 9):
            divided = shares(list(range(num_cores)), jobs)
            assert len(divided) == jobs
            assert all(divided)
            assert {core for share in divided for core in share} == set(range(num_cores)) or jobs > num_cores


def _num_recorded(out: Path) -> int:
    return sum(path.stat().st_size > 0 for path in out.glob("*/seed-0/metrics.jsonl"))


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs signals of POSIX")
def test_processes_end_orderly_and_resume_with_the_same_bits(tmp_path: Path) -> None:
    config, out = tmp_path / "tiny.toml", tmp_path / "several"
    config.write_text(CONFIG)
    asked = ["sweep", str(config), "--set", "optimizer.learning_rate=0.01,0.02", "--set", "emulation.ticks=8000"]
    asked += ["--set", "emulation.record_every=80", "--set", "snapshots.nodes=0", *RING]
    asked += ["--set", "push.link.drop=0.1"]
    several = subprocess.Popen(
        [sys.executable, "-m", "jdgnn", *asked, "--jobs", "2", "--out", str(out)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while _num_recorded(out) < 2 and time.monotonic() < deadline:  # one that compiles would end without a checkpoint
        time.sleep(0.02)
    os.killpg(several.pid, signal.SIGTERM)  # as some schedulers do: to all of them
    _, error = several.communicate(timeout=120)
    assert several.returncode == 143, error
    assert re.search(r"terminated; [01] of 2 runs (is|are) finished and kept in .*jdgnn sweep --resume", error)
    begun = [path.parent for path in out.glob("*/seed-0/config.toml")]
    assert begun
    assert all(list(folder.glob("checkpoints/*")) for folder in begun)
    assert main(["sweep", "--resume", str(out)]) == 0
    assert main([*asked, "--out", str(tmp_path / "one")]) == 0
    assert _digests(out) == _digests(tmp_path / "one")
