"""All that is to be measured on a GPU, in one command that can be cut off and called again.

`make bench-gpu OUT=dir`, or `python3 -m bench.gpu --out dir`, needs jax for the GPU in that Python and the few packages
in `bench.needed`, but no installed jdgnn. Parts run one after another, each in a process of its own, so that its peak
of memory is its own: checks of correctness, rate and memory of two 64-unit layers up to a million nodes, and throughput
of one 64-unit layer. Sums have a fixed order, so runs should repeat bit for bit without XLA's option `FIXED_ORDER`; the
part that ends in "deterministic flag" shows what that option costs. Each part writes a file into `dir/parts` when it is
done. A call leaves out parts whose files are there, ends when `--minutes` are over, and writes what there is into
`dir/gpu.json`. `--scale small` goes through the same parts at sizes for a CPU. To commit a result, copy it to
`bench/results`; `--table` prints it.

The ceiling is timed in the process of each workload, at its size, before anything else is there.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

import jdgnn
from bench import rates
from bench.machine import RESULTS, ROOT, circumstances, shown
from bench.roofline import ceiling, model_bytes
from bench.turns import ranged, rounded
from bench.watch import available, in_a_process, most_resident
from bench.workload import CHOICES, NEVER, Emulated, Options, emulator_of, network_of
from jdgnn.emulation.memory import state_bytes

RESULT, MODULE = RESULTS / "gpu.json", "bench.gpu"
CHECK, FLAGGED = "check, ", ", deterministic flag"
FIXED_ORDER = "--xla_gpu_deterministic_ops=true"  # no sums by atomic operations, no choice of kernels by their speed
CHECKED = {
    "rotation, SGD": Options(layers=2),
    "rotation, Adam": Options(layers=2, optimizer="adam"),
    "matching, momentum": Options(layers=2, sampler="matching", optimizer="momentum"),
    "uniform, SGD, InfoNCE": Options(layers=2, sampler="uniform", objective="info_nce"),
    "rotation, SGD, half asleep, messages dropped and late": Options(layers=2, asynchronous=True),
}
SLOW_TICKS, TICKS = 2, 10  # node by node, and on both backends
TOLERANCE = 1e-9  # of the largest parameter


class Scale(NamedTuple):
    """Sizes: nodes that are checked, nodes of throughput, nodes of scaling, and seconds that are timed."""

    checked: int
    throughput: int
    scaling: tuple[int, ...]
    seconds: float


SCALES = {
    "full": Scale(50, 100_000, (1_000_000, 100_000, 10_000), 3.0),
    "small": Scale(20, 1_000, (2_000, 500), 0.2),
}


def parts(scale: Scale) -> dict[str, Options]:
    """What is done, in this order."""
    one = Options(nodes=scale.throughput)
    found = {
        CHECK + name: dataclasses.replace(options, nodes=scale.checked, units=8, dtype="float64")
        for name, options in CHECKED.items()
    }
    for nodes in scale.scaling:
        for optimizer in ("sgd", "adam"):
            found[f"scaling, {nodes}, {optimizer}"] = Options(nodes=nodes, layers=2, optimizer=optimizer)
    for sampler in CHOICES["sampler"]:
        found[f"throughput, {sampler}, sgd"] = dataclasses.replace(one, sampler=sampler)
    found["throughput, rotation, adam"] = dataclasses.replace(one, optimizer="adam")
    found["throughput, rotation, sgd, bfloat16"] = dataclasses.replace(one, param_dtype="bfloat16")
    found[f"throughput, rotation, sgd{FLAGGED}"] = one
    return found


def check(options: Options) -> dict[str, Any]:
    """How far a run is from one node by node and from one on the CPU, over the largest parameter; if runs repeat."""
    is_same = repeats(dataclasses.replace(options, dtype="float32"))
    jax.config.update("jax_enable_x64", True)
    emulator, network = emulator_of(options), network_of(options)
    first, few = (trained(emulator, network, ticks) for ticks in (TICKS, SLOW_TICKS))
    slow, _ = jdgnn.debug_run(emulator, emulator.init(jax.random.key(0), network), network, SLOW_TICKS)
    with jax.default_device(jax.devices("cpu")[0]):
        elsewhere = trained(emulator_of(options), network_of(options), TICKS)
    return {
        "options": dataclasses.asdict(options),
        "same bits twice": is_same,
        "node by node": distance(few, host(slow.params)),
        "on the CPU": distance(first, elsewhere),
        "equal models stay": stays(emulator, network),
    }


def repeats(options: Options) -> bool:
    """Whether two runs give the same bits."""
    emulator, network = emulator_of(options), network_of(options)
    first, again = (trained(emulator, network, TICKS) for _ in range(2))
    return all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def stays(emulator: jdgnn.Emulator, network: jdgnn.Network) -> bool:
    """Whether merging changes no bit where all nodes have the same model."""
    assert emulator.gossip is not None
    only = dataclasses.replace(emulator, gossip=dataclasses.replace(emulator.gossip, order="merge_only"))
    before = host(emulator.init(jax.random.key(0), network).params)
    return all(np.array_equal(a, b) for a, b in zip(before, trained(only, network, TICKS), strict=True))


def trained(emulator: jdgnn.Emulator, network: jdgnn.Network, ticks: int) -> list[np.ndarray]:
    """Parameters after some ticks."""
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, ticks, record_every=NEVER)
    return host(state.params)


def host(params: Any) -> list[np.ndarray]:
    """Parameters as arrays of NumPy."""
    return [np.asarray(leaf) for leaf in jax.tree.leaves(params)]


def distance(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    """The largest difference, over the largest number."""
    most = max(float(np.abs(b - a).max()) for a, b in zip(ours, theirs, strict=True))
    return most / max(float(np.abs(b).max()) for b in theirs)


def measure(options: Options, seconds: float) -> dict[str, Any]:
    """Rate, roofline fraction and memory of a workload; or why it was not run."""
    emulator, network = emulator_of(options), network_of(options)
    state = sum(state_bytes(emulator.shapes(network)).values())
    predicted = emulator.memory(network) if state < room() else {"state": state}
    if (need := sum(predicted.values())) > (free := room()):
        return {
            "options": dataclasses.asdict(options),
            "skipped": f"it takes {need / 1e9:.1f} GB, and there are {free / 1e9:.1f}",
        }
    speed = ceiling(model_bytes(options), seconds)
    work = Emulated(options)
    ticks = max(1, round(seconds / 5 / min(work.run(1) for _ in range(2))))
    times = [work.run(ticks) / ticks for _ in range(5)]
    return {
        **rates.figures(options, times, [speed] * len(times)),
        **work.about,
        "ticks": ticks,
        "ceiling_rate": speed,
        "predicted": predicted,
        "peak_bytes": peak(),
    }


def room() -> float:
    """Bytes that the device has for JAX."""
    stats = jax.devices()[0].memory_stats()
    return float(stats["bytes_limit"] if stats else available())


def peak() -> int:
    """The most bytes that were held: of the device's memory, or by the process where there is no such device."""
    stats = jax.devices()[0].memory_stats()
    return int(stats["peak_bytes_in_use"] if stats else most_resident())


def task(name: str, scale: Scale) -> dict[str, Any]:
    """One part, and on what it was measured."""
    options = parts(scale)[name]
    figures = check(options) if name.startswith(CHECK) else measure(options, scale.seconds)
    return {**figures, **circumstances()}


def go_on(names: list[str], folder: Path, scale: str, minutes: float) -> list[str]:
    """Runs parts that have no file yet, until the time is over; gives those that failed, for another call to try."""
    ends, failed = time.monotonic() + 60 * minutes, []
    for number, name in enumerate(names):
        file = folder / f"{scale}-{number:02}.json"
        if file.exists():
            print(f"{name}: done before", flush=True)
            continue
        try:
            with flags_of(name):
                figures = in_a_process(MODULE, name, scale, seconds=max(0.0, ends - time.monotonic()))
        except subprocess.TimeoutExpired:
            print(f"{minutes:g} minutes are over before {name} was done: call again to go on", flush=True)
            break
        except SystemExit as error:
            print(error, flush=True)
            failed.append(name)
            continue
        write(file, {"name": name, **figures})
    return failed


@contextlib.contextmanager
def flags_of(name: str) -> Iterator[None]:
    """Options of XLA for the process of a part, besides those that are set."""
    before = os.environ.get("XLA_FLAGS")
    if name.endswith(FLAGGED):
        os.environ["XLA_FLAGS"] = f"{before or ''} {FIXED_ORDER}".strip()
    try:
        yield
    finally:
        os.environ.pop("XLA_FLAGS", None)
        if before is not None:
            os.environ["XLA_FLAGS"] = before


def write(file: Path, result: dict[str, Any]) -> None:
    """Writes a file whole or not at all."""
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(result, indent=2) + "\n")
    unfinished.replace(file)


def collected(names: list[str], folder: Path, scale: str) -> dict[str, Any]:
    """What all calls so far have measured."""
    found = {}
    for number, name in enumerate(names):
        file = folder / f"{scale}-{number:02}.json"
        if file.exists():
            found[name] = json.loads(file.read_text())
    return {"scale": scale, "parts": found, "missing": [name for name in names if name not in found]}


def wrong(result: dict[str, Any]) -> Iterator[str]:
    """What the checks found to be as it should not be."""
    for name, found in result["parts"].items():
        if not name.startswith(CHECK):
            continue
        for what in ("same bits twice", "equal models stay"):
            if not found[what]:
                yield f"{name}: not so: {what}"
        for where in ("node by node", "on the CPU"):
            if not found[where] <= TOLERANCE:
                yield f"{name}: {found[where]:.1e} from what it is {where}"


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    some = next(iter(result["parts"].values()), None)
    if some is None:
        return "nothing was measured yet"
    lines = [
        "| | same bits twice, float32 | equal models stay | off node by node, float64 | off the CPU |",
        "|---|---|---|---:|---:|",
    ]
    lines += [checked(name, found) for name, found in result["parts"].items() if name.startswith(CHECK)]
    lines += [
        "",
        f"| {some['machine']['accelerator']} | nodes | layers | node-updates/s (and range) | ticks/s | ceiling, GB/s "
        "| of the roofline, %: strict, streaming | state, GB | predicted | peak |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [row(figures) for name, figures in result["parts"].items() if not name.startswith(CHECK)]
    if result["missing"]:
        lines += ["", f"Not measured yet: {'; '.join(result['missing'])}."]
    if result["failed"]:
        lines += ["", f"Failed: {'; '.join(result['failed'])}."]
    return "\n".join(lines)


def checked(name: str, found: dict[str, Any]) -> str:
    """One check's line of the table."""
    same, stay = ("yes" if found[what] else "no" for what in ("same bits twice", "equal models stay"))
    return f"| {name.removeprefix(CHECK)} | {same} | {stay} | {found['node by node']:.0e} | {found['on the CPU']:.0e} |"


def row(figures: dict[str, Any]) -> str:
    """One workload's line of the table."""
    options = figures["options"]
    kind = [options["sampler"], options["optimizer"], *filter(None, [options["param_dtype"]])]
    kind += [FLAGGED.removeprefix(", ")] if figures["name"].endswith(FLAGGED) else []
    start = f"| {', '.join(kind)} | {options['nodes']:,} | {options['layers']} |"
    if "skipped" in figures:
        return f"{start} not run: {figures['skipped']} | | | | | | |"
    sizes = (figures["state_bytes"], sum(figures["predicted"].values()), figures["peak_bytes"])
    cells = [
        ranged(figures["rates"]),
        rounded(1 / figures["seconds"]["median"]),
        rounded(figures["ceiling_rate"] / 1e9),
        ", ".join(f"{100 * share['median']:.0f}" for share in figures["roofline_fraction"].values()),
        *(f"{size / 1e9:.2f}" for size in sizes),
    ]
    return f"{start} {' | '.join(cells)} |"


def main() -> None:
    """Goes on with what is missing, or prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "gpu", help="folder (default: %(default)s)")
    parser.add_argument("--scale", choices=SCALES, default="full")
    parser.add_argument("--minutes", type=float, default=8.5, help="after which this call ends")
    parser.add_argument("--table", action="store_true", help="print the committed figures and measure nothing")
    parser.add_argument("--task", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.table:
        print(shown(RESULT, table))
        return
    if arguments.task:
        name, scale = arguments.task
        print(json.dumps(task(name, SCALES[scale])))
        return
    os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.95")
    folder, names = arguments.out / "parts", list(parts(SCALES[arguments.scale]))
    folder.mkdir(parents=True, exist_ok=True)
    failed = go_on(names, folder, arguments.scale, arguments.minutes)
    result = collected(names, folder, arguments.scale) | {"failed": failed}
    write(arguments.out / "gpu.json", result)
    print(table(result))
    if problems := list(wrong(result)):
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
