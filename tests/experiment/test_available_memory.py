"""What is left to this process, where groups of processes have limits."""

from pathlib import Path

import psutil
import pytest

from jdgnn import host_memory
from jdgnn.host_memory import host_bytes, left_to_groups


def group(folder: Path, files: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(f"{content}\n")


def test_the_group_of_a_process_and_those_around_it_limit_it(tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text("1:name=systemd:/\n0::/job/step\n")
    stat = "anon 5\ninactive_file 30"
    group(tmp_path / "job", {"memory.max": 1000, "memory.current": 400, "memory.stat": stat})
    group(tmp_path / "job" / "step", {"memory.max": "max", "memory.current": 100})
    assert list(left_to_groups(tmp_path / "cgroup", tmp_path)) == [630]


def test_the_older_version_of_groups_is_understood(tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text("4:memory:/job\n")
    group(tmp_path / "memory" / "job", {"memory.limit_in_bytes": 500, "memory.usage_in_bytes": 600})
    group(tmp_path / "memory", {"memory.limit_in_bytes": 2**63 - 4096, "memory.usage_in_bytes": 600})
    assert list(left_to_groups(tmp_path / "cgroup", tmp_path)) == [0, 2**63 - 4096 - 600]


def test_the_least_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_memory, "left_to_groups", lambda: iter([5000]))
    assert host_bytes() == 5000
    monkeypatch.setattr(host_memory, "left_to_groups", lambda: iter([]))
    assert 0 < host_bytes() <= psutil.virtual_memory().total


def test_no_group_limits_where_there_is_none(tmp_path: Path) -> None:
    assert list(left_to_groups(tmp_path / "none", tmp_path)) == []
