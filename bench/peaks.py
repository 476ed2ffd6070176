"""How much more memory than its state a run takes: at the start, and while models are merged.

`python -m bench.peaks` (and `python -m bench.memory`, with what that measures) takes each setting in a process of its
own and writes `bench/results/peaks.json`; `--large` adds networks that take several gigabytes, and `--table` prints
what was measured.

A peak is beyond what the process held before: Python, JAX, the network as given, and compiled programs. The state is
parameters, optimiser state and buffers. Peaks are meant to stay below 1.25 times the state, and a small constant.
"""

import argparse
import dataclasses
import gc
import json
import statistics
import time
from typing import Any

import jax

import jdgnn
from bench.machine import RESULTS, circumstances, shown
from bench.watch import available, in_a_process, most_resident, peak, resident
from bench.workload import CHOICES, Options, emulator_of, network_of
from jdgnn.emulation.memory import state_bytes

RESULT = RESULTS / "peaks.json"
REPEATS, TICKS = 3, 6
MOST_OVER_STATE, CONSTANT = 1.25, 64e6
LARGE = {
    "100,000 nodes, two 64→64 layers, SGD": Options(nodes=100_000, layers=2),
    "1,000,000 nodes, one 16→16 layer, SGD": Options(nodes=1_000_000, units=16),
}
MODELS = ("parameters", "optimizer")
BESIDE = ("network", "events", "working memory")  # what a run takes beside its state
COLUMNS = "predicted: parameters | optimiser | buffers | other | total | measured: start | ticks | over state | process"


def cases(num_nodes: int, are_large: bool) -> dict[str, Options]:
    """What is measured: each sampler with gradient descent and with Adam, and large networks where they are wanted."""
    small = {
        f"{num_nodes:,} nodes, two 64→64 layers, {sampler}, {label}": Options(
            nodes=num_nodes, layers=2, sampler=sampler, optimizer=optimizer
        )
        for sampler in CHOICES["sampler"]
        for optimizer, label in (("sgd", "SGD"), ("adam", "Adam"))
    }
    return small | (LARGE if are_large else {})


def measured(options: Options) -> dict[str, Any]:
    """Bytes of the state and of a run as predicted, and peaks; or why nothing was run."""
    network, emulator = network_of(options), emulator_of(options)
    predicted, state = emulator.memory(network), state_bytes(emulator.shapes(network))
    figures = {"predicted": predicted, "state": sum(state.values()), "options": dataclasses.asdict(options)}
    if (need := sum(predicted.values())) > (free := available()):
        return figures | {"skipped": f"a run takes {need / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free"}
    jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 2)
    peaks = [_peaks(emulator, network) for _ in range(REPEATS)]
    starts, ticks = zip(*peaks, strict=True)
    return figures | {
        "start": {"median": statistics.median(starts), "all": starts},
        "ticks": {"median": statistics.median(ticks), "all": ticks},
        "process": most_resident(),
    }


def _peaks(emulator: jdgnn.Emulator, network: jdgnn.Network) -> tuple[int, int]:
    """Of making the state, and of the ticks after it."""
    gc.collect()
    time.sleep(2)  # what was held is given back in the background
    before = resident()
    with peak() as start:
        state = jax.block_until_ready(emulator.init(jax.random.key(0), network))
    with peak() as ticks:
        jdgnn.run(emulator, state, network, TICKS)
    return start[0] - before, ticks[0] - before


def measure(num_nodes: int, are_large: bool) -> dict[str, Any]:
    """All settings, and on what they were measured."""
    settings = {
        name: in_a_process("bench.peaks", json.dumps(dataclasses.asdict(options)))
        for name, options in cases(num_nodes, are_large).items()
    }
    return {"settings": settings, **circumstances()}


def over_state(figures: dict[str, Any]) -> float:
    """The higher peak, beyond the small constant, over the state."""
    highest = max(figures["start"]["median"], figures["ticks"]["median"])
    return (highest - CONSTANT) / figures["state"]


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [f"| MB | {COLUMNS} |", "|---|" + "---:|" * (COLUMNS.count("|") + 1)]
    for name, figures in result["settings"].items():
        predicted = figures["predicted"]
        sizes = [predicted.get(part, 0) for part in MODELS]
        sizes += [figures["state"] - sum(sizes), sum(predicted[part] for part in BESIDE), sum(predicted.values())]
        cells = [f"{size / 1e6:,.0f}" for size in sizes]
        if "skipped" in figures:
            cells += ["not run", "", "", ""]
        else:
            peaks = [figures["start"]["median"], figures["ticks"]["median"], figures["process"]]
            cells += [f"{size / 1e6:,.0f}" for size in peaks]
            cells.insert(-1, f"{over_state(figures):.2f}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What this program and `bench.memory` have in common."""
    parser.add_argument("--nodes", type=int, default=20_000, help="of all networks but the large and the growing ones")
    parser.add_argument("--large", action="store_true", help="also networks that take several gigabytes")
    parser.add_argument("--table", action="store_true", help="print the committed figures and measure nothing")


def measure_and_write(num_nodes: int, are_large: bool) -> None:
    """Measures, and writes the result."""
    RESULT.write_text(json.dumps(measure(num_nodes, are_large), indent=2) + "\n")


def main() -> None:
    """Measures, or prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps(measured(Options(**json.loads(arguments.task)))))
        return
    if not arguments.table:
        measure_and_write(arguments.nodes, arguments.large)
    print(shown(RESULT, table))


if __name__ == "__main__":
    main()
