"""What a process holds of memory, handles, threads and mappings stays flat in a long run, as seen from outside."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.experiment.run_support import CONFIG, process
from tests.experiment.test_resuming import LINKS
from tests.support import ROOT

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="what a process holds is seen through /proc, which Linux has"
)

SIZED = CONFIG.replace("num_nodes = 40", "num_nodes = 60").replace("units = 4", "units = 32")  # a state takes 640 kB
WRITER = "ts_pool_worker"  # a thread by which TensorStore writes checkpoints: they come one by one, to a limit
MOST_WRITERS = 128 + 4 * (os.cpu_count() or 1)  # orbax asks for 128 that write; others copy
MOST_BYTES = 10 * 2**20  # of memory, after the first quarter of a run: records, and what writers take
MAPPINGS_OF_A_WRITER = 4  # its stack and its heap, each with what guards it

AGAIN = """
import json, shutil, sys
from pathlib import Path
import jax, jdgnn
from tests.emulation.test_checkpoint import asynchronous, network

ticks, every, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
emulator, there = asynchronous(layers=[jdgnn.gcn(32)]), network()
state = emulator.init(jax.random.key(0), there)
for tick in range(every, ticks + 1, every):
    rows = []
    state, history = jdgnn.run(emulator, state, there, every, record_every=every, on_progress=rows.append)
    jdgnn.save(folder / "saved", emulator, state, there)
    shutil.rmtree(folder / "saved")
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"tick": tick}) + "\\n")
"""


class Length(NamedTuple):
    """How long a run is."""

    ticks: int
    every: int  # ticks from one record, and one checkpoint, to the next


SHORT, LONG = Length(2_000, 50), Length(20_000, 100)


class Sample(NamedTuple):
    """What a process holds at a moment."""

    tick: int  # recorded last
    num_bytes: int  # resident
    handles: int
    threads: int  # but for writers
    writers: int
    mappings: int


def last_tick(metrics: Path) -> int:
    """Of the last whole line."""
    lines = metrics.read_bytes().split(b"\n") if metrics.exists() else []
    return int(json.loads(lines[-2])["tick"]) if len(lines) > 1 else 0


def sample(process: Path, metrics: Path) -> Sample:
    names = [(task / "comm").read_text().strip() for task in (process / "task").iterdir()]
    return Sample(
        tick=last_tick(metrics),
        num_bytes=os.sysconf("SC_PAGE_SIZE") * int((process / "statm").read_text().split()[1]),
        handles=len(os.listdir(process / "fd")),
        threads=len(names) - names.count(WRITER),
        writers=names.count(WRITER),
        mappings=(process / "maps").read_bytes().count(b"\n"),
    )


def samples(process: "subprocess.Popen[bytes]", metrics: Path) -> Iterator[Sample]:
    """All along, until the process ends."""
    while process.poll() is None:
        time.sleep(0.01)
        try:
            yield sample(Path("/proc") / str(process.pid), metrics)
        except OSError:
            continue  # a thread has just ended, or the process


def assert_flat(arguments: Sequence[str], metrics: Path, length: Length) -> None:
    """Runs, and compares the last quarter of the ticks with the second, in which all is warm."""
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        seen = [one for one in samples(process, metrics) if length.ticks // 4 <= one.tick < length.ticks]
    assert process.returncode == 0
    warm = [one for one in seen if one.tick < length.ticks // 2]
    late = [one for one in seen if one.tick >= length.ticks - length.ticks // 4]
    assert min(len(warm), len(late)) >= 10
    assert max(one.num_bytes for one in seen) - min(one.num_bytes for one in seen) <= MOST_BYTES
    assert max(one.writers for one in seen) <= MOST_WRITERS
    before, after = at_rest(warm), at_rest(late)
    assert after.handles <= before.handles
    assert after.threads <= before.threads
    assert after.mappings <= before.mappings + MAPPINGS_OF_A_WRITER * max(0, after.writers - before.writers) + 8


def at_rest(seen: Sequence[Sample]) -> Sample:
    """The least of each: what is open only while a checkpoint is written does not count."""
    return Sample(*(min(of) for of in zip(*seen, strict=True)))


def assert_run_is_flat(folder: Path, length: Length, *options: object) -> None:
    config, out = folder / "flat.toml", folder / "run"
    text = SIZED.replace("ticks = 7", f"ticks = {length.ticks}").replace("every = 3", f"every = {length.every}")
    config.write_text(f"{text}{LINKS}[checkpoints]\nticks = {length.every}\n")
    assert_flat(process("run", config, "--out", out, *options), out / "metrics.jsonl", length)


@pytest.mark.long
def test_what_a_run_holds_does_not_grow(tmp_path: Path) -> None:
    assert_run_is_flat(tmp_path, SHORT, "--record", tmp_path / "events.npz")


@pytest.mark.long
@pytest.mark.parametrize("is_recorded", [False, True])
def test_what_a_run_of_20_000_ticks_holds_does_not_grow(is_recorded: bool, tmp_path: Path) -> None:
    """Takes a minute and a half each, with two cores that others use too."""
    assert_run_is_flat(tmp_path, LONG, *(["--record", tmp_path / "events.npz"] if is_recorded else []))


@pytest.mark.long
def test_what_a_process_of_many_runs_holds_does_not_grow(tmp_path: Path) -> None:
    """Takes two minutes, likewise."""
    arguments = [sys.executable, "-c", AGAIN, str(LONG.ticks), str(LONG.every), str(tmp_path)]
    assert_flat(arguments, tmp_path / "metrics.jsonl", LONG)
