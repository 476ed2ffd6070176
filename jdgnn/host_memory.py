"""How much memory of the machine is left to this process."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROCESS, GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


class _Version(NamedTuple):
    """How a version of Linux's control groups says what limits memory."""

    line: str  # of the process, as a pattern
    folder: str
    limit: str
    used: str
    reclaimable: str  # bytes of files that the kernel would give up


VERSIONS = (
    _Version(r"0::/(.*)", ".", "memory.max", "memory.current", "inactive_file"),
    _Version(r"\d+:memory:/(.*)", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def host_bytes() -> int:
    """Memory left in the machine, and to the groups of processes with which this one shares a limit."""
    import psutil  # `import jdgnn` needs the core packages alone

    return min(psutil.virtual_memory().available, *left_to_groups(), sys.maxsize)


def left_to_groups(process: Path = PROCESS, groups: Path = GROUPS) -> Iterator[int]:
    """Bytes left to the control group of this process, and to those that it is in; none where nothing limits them.

    Args:
      process: where the kernel says in which groups this process is.
      groups: where it shows what they may use, and use.
    """
    lines = process.read_text().splitlines() if process.is_file() else []
    for version in VERSIONS:
        for found in filter(None, (re.fullmatch(version.line, line) for line in lines)):
            inner = Path(found[1])
            for group in (inner, *inner.parents):
                yield from _left(groups / version.folder / group, version)


def _left(group: Path, version: _Version) -> Iterator[int]:
    limit, used, stat = group / version.limit, group / version.used, group / "memory.stat"
    if not limit.is_file() or not used.is_file() or (most := limit.read_text().strip()) == "max":
        return
    entries = dict(line.split() for line in stat.read_text().splitlines()) if stat.is_file() else {}
    yield max(0, int(most) - int(used.read_text()) + int(entries.get(version.reclaimable, 0)))
