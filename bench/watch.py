"""How much memory a process holds, and how much there is; and tasks in processes of their own."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROCESS_BYTES = 0.7e9  # Python, JAX and compiled programs
STATUS, MEMORY = Path("/proc/self/status"), Path("/proc/meminfo")


def _entry(path: Path, name: str) -> int:
    """Bytes of an entry of a file of the kernel's, which counts in kB."""
    (line,) = (line for line in path.read_text().splitlines() if line.startswith(f"{name}:"))
    return 1024 * int(line.split()[1])


def resident() -> int:
    """Bytes of memory this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def most_resident() -> int:
    """The most bytes of memory this process has held since it began."""
    return _entry(STATUS, "VmHWM") if STATUS.exists() else 0


def available() -> int:
    """Bytes of memory that programs can still take on this machine."""
    return _entry(MEMORY, "MemAvailable")


@contextmanager
def peak() -> Iterator[list[int]]:
    """The most that is held inside the block, as the one entry of a list."""
    most, is_over = [resident()], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.002):
            most[0] = max(most[0], resident())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        is_over.set()
        thread.join()


def in_a_process(module: str, *task: str, seconds: float | None = None) -> Any:
    """What `python -m module --task ...` prints as JSON, run in a process of its own.

    Args:
      module: a program with that option.
      *task: what follows it.
      seconds: how long it may take.

    Returns:
      What it printed last, read.

    Raises:
      SystemExit: it failed.
      subprocess.TimeoutExpired: it took longer.
    """
    started = time.perf_counter()
    command = [sys.executable, "-m", module, "--task", *task]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=seconds)
    print(f"{' '.join(task)}: {time.perf_counter() - started:.0f} s", flush=True)
    if done.returncode:
        sys.exit(f"{' '.join(task)}: the process ended with status {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])
