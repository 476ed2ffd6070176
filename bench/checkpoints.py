"""What it costs to save a run while it goes: `python -m bench.checkpoints --data-root DIR`.

A run of each configuration is saved a few times, and read back; the share of the time that saving takes follows from
the default interval. Written to `bench/results/checkpoints.json`; `--table` prints it.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
from rich import filesize

import jdgnn
from bench.machine import RESULTS, ROOT, circumstances, shown
from jdgnn.experiment.config.defaults import completed
from jdgnn.experiment.config.networks import make_network
from jdgnn.experiment.config.schema import CheckpointsTable, read
from jdgnn.experiment.run.checkpoints import REST
from jdgnn.experiment.run.experiment import make_emulator

RESULT = RESULTS / "checkpoints.json"
CONFIGS = ("quickstart", "cora-projected", "freifunk", "cora")
TIMES, TICKS = 3, 20


def measure(name: str, data_root: Path | None, folder: Path) -> dict[str, Any]:
    """Seconds to save and to restore, and the bytes it takes."""
    config = read(ROOT / "configs" / f"{name}.toml")
    network = make_network(config.network, data_root=data_root, seed=config.seed)
    emulator = make_emulator(completed(config, network.num_features))
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 1)
    state, history = jdgnn.run(emulator, state, network, TICKS, record_every=TICKS)
    paths = [folder / f"{name}-{number}" for number in range(TIMES)]
    save = [_seconds(partial(jdgnn.save, path, emulator, state, network)) for path in paths]
    restore = _seconds(lambda: jdgnn.restore(paths[0], emulator, network))
    cost = statistics.median(save)
    return {
        "bytes": sum(file.stat().st_size for file in paths[0].rglob("*") if file.is_file()),
        "seconds": save,
        "restore_seconds": restore,
        "tick_seconds": history.seconds / TICKS,
        "share": cost / (cost + max(60 * CheckpointsTable().minutes, REST * cost)),
    }


def _seconds(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def table(result: dict[str, Any]) -> str:
    """As Markdown."""
    lines = ["| run | checkpoint | save, s | read, s | share of the run's time |", "|---|---:|---:|---:|---:|"]
    for name, found in result["configurations"].items():
        save, size = statistics.median(found["seconds"]), filesize.decimal(found["bytes"])
        read_back, share = found["restore_seconds"], 100 * found["share"]
        lines.append(f"| `{name}.toml` | {size} | {save:.2g} | {read_back:.2g} | {share:.2g} % |")
    return "\n".join(lines)


def main() -> None:
    """Measures, or prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, help="directory with a folder for each data set")
    parser.add_argument("--table", action="store_true", help="print the committed figures and measure nothing")
    arguments = parser.parse_args()
    if arguments.table:
        print(shown(RESULT, table))
        return
    found: dict[str, Any] = {}
    for name in CONFIGS:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = measure(name, arguments.data_root, Path(folder))
    result = {"configurations": found, **circumstances()}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(table(result))


if __name__ == "__main__":
    main()
