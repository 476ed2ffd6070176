"""What is measured on a GPU goes on where it was cut off, and says what is lacking."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import gpu, needed

NAMES = ["first", "second", "third"]


def _machine(monkeypatch: pytest.MonkeyPatch, **ends: BaseException) -> list[str]:
    """Replaces processes: each part succeeds, unless it is told how it ends; gives the parts that ran."""
    ran: list[str] = []

    def in_a_process(module: str, name: str, scale: str, *, seconds: float) -> dict[str, Any]:
        ran.append(name)
        if name in ends:
            raise ends[name]
        return {"figure": len(name)}

    monkeypatch.setattr(gpu, "in_a_process", in_a_process)
    return ran


def test_it_goes_on_after_the_time_is_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _machine(monkeypatch, second=subprocess.TimeoutExpired("python", 1))
    assert gpu.go_on(NAMES, tmp_path, "small", 1) == []
    assert gpu.collected(NAMES, tmp_path, "small")["missing"] == ["second", "third"]
    ran = _machine(monkeypatch)
    gpu.go_on(NAMES, tmp_path, "small", 1)
    assert ran == ["second", "third"]
    result = gpu.collected(NAMES, tmp_path, "small")
    assert result["missing"] == []
    assert result["parts"]["third"] == {"name": "third", "figure": 5}


def test_what_fails_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _machine(monkeypatch, first=SystemExit("status -9"))
    assert gpu.go_on(NAMES, tmp_path, "small", 1) == ["first"]
    ran = _machine(monkeypatch)
    assert gpu.go_on(NAMES, tmp_path, "small", 1) == []
    assert ran == ["first"]


def test_sizes_are_not_mixed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _machine(monkeypatch)
    gpu.go_on(NAMES, tmp_path, "small", 1)
    assert gpu.collected(NAMES, tmp_path, "full")["missing"] == NAMES


def test_sums_have_a_fixed_order_unless_a_part_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for before in (None, "--xla_one=1"):
        monkeypatch.delenv("XLA_FLAGS", raising=False)
        if before:
            monkeypatch.setenv("XLA_FLAGS", before)
        with gpu.flags_of("throughput"):
            assert os.environ.get("XLA_FLAGS") == before
        with gpu.flags_of(f"throughput{gpu.FLAGGED}"):
            assert os.environ["XLA_FLAGS"].split() == [*filter(None, [before]), gpu.FIXED_ORDER]
        assert os.environ.get("XLA_FLAGS") == before


def test_a_failed_check_is_wrong() -> None:
    good = {"same bits twice": True, "equal models stay": True, "node by node": 1e-12, "on the CPU": 0.0}
    name = f"{gpu.CHECK}it"
    assert list(gpu.wrong({"parts": {name: good}})) == []
    for change in ({"same bits twice": False}, {"equal models stay": False}, {"on the CPU": float("nan")}):
        assert len(list(gpu.wrong({"parts": {name: good | change}}))) == 1


def test_it_says_what_to_install() -> None:
    assert needed.lacking() == []
    assert needed.lacking(["numpy", "no-such-package"]) == ["no-such-package"]
    program = "from bench import needed; needed.lacking = lambda: ['flax']; needed.main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install flax" in done.stderr
