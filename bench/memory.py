"""Whether a run takes as much memory as it says beforehand, and no more later.

`python -m bench.memory` measures in processes of their own and writes `bench/results/memory.json`; `--table` prints it.
It goes on with `bench.peaks`, which compares peaks with the state and prints its own table.
"""

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax

import jdgnn
from bench import peaks
from bench.machine import RESULTS, circumstances, shown
from bench.speed import one_layer
from bench.watch import in_a_process, peak, resident
from bench.workload import random_network
from jdgnn import clocks, links, presence

RESULT, MODULE = RESULTS / "memory.json", "bench.memory"
REPEATS = 5
GROWTH_TICKS = (20, 500, 1000, 2000)


def late(loss: float, delay: int) -> jdgnn.Link:
    """Loses messages, and delays the others uniformly."""
    return jdgnn.link(drop=loss, delay=links.uniform(0, delay))


def harsh(loss: float) -> jdgnn.Emulator:
    """All messages lost and up to 10 ticks late, models too; nodes sleep and go."""
    way = late(loss, 10)
    absences = jdgnn.availability(clocks.bernoulli(0.5), presence.churn(50, 20))
    return one_layer(way, jdgnn.gossip(link=way, pool=3), availability=absences)


PREDICTED: dict[str, Callable[[], jdgnn.Emulator]] = {
    "synchronous": one_layer,
    "synchronous, with momentum": lambda: one_layer(optimizer=jdgnn.momentum(0.1)),
    "half dropped, up to 10 ticks late": lambda: one_layer(late(0.5, 10)),
    "half dropped, up to 20 ticks late": lambda: one_layer(late(0.5, 20)),
    "half dropped, up to 40 ticks late": lambda: one_layer(late(0.5, 40)),
    "half dropped, all up to 10 ticks late, asleep and away": lambda: harsh(0.5),
}
GROWING: dict[str, Callable[[], jdgnn.Emulator]] = {
    f"{loss:.0%} dropped, all up to 10 ticks late, asleep and away": partial(harsh, loss) for loss in (0.0, 0.5, 0.9)
}


def predicted_and_measured(name: str, num_nodes: int) -> dict[str, Any]:
    """Bytes by part as predicted, and peaks of runs that compile nothing, beyond what was held before each."""
    network, emulator = random_network(num_nodes), PREDICTED[name]()
    predicted = emulator.memory(network)
    jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 1)
    highest = []
    for _ in range(REPEATS):
        gc.collect()
        time.sleep(2)  # what was held is given back in the background
        before = resident()
        with peak() as most:
            state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 10)
        del state
        highest.append(most[0] - before)
    return {"predicted": predicted, "measured": statistics.median(highest), "peaks": highest, "process": most[0]}


def growth(name: str, num_nodes: int) -> dict[str, Any]:
    """Peak memory of the process after few ticks and after many."""
    network, emulator = random_network(num_nodes), GROWING[name]()
    state, reached, done = emulator.init(jax.random.key(0), network), {}, 0
    for until in GROWTH_TICKS:
        with peak() as most:
            state, _ = jdgnn.run(emulator, state, network, until - done, record_every=100)
        done, reached[str(until)] = until, most[0]
    return reached


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    num_nodes = result["num_nodes"]
    lines = [
        f"| {num_nodes['prediction']:,} nodes, one 64-unit layer | predicted, MB | measured, MB | ratio |",
        "|---|---:|---:|---:|",
    ]
    for name, figures in result["prediction"].items():
        predicted, measured = sum(figures["predicted"].values()), figures["measured"]
        lines.append(f"| {name} | {predicted / 1e6:,.0f} | {measured / 1e6:,.0f} | {measured / predicted:.2f} |")
    ticks = " | ".join(f"{ticks:,} ticks" for ticks in GROWTH_TICKS)
    lines += [
        "",
        f"| {num_nodes['growth']:,} nodes, peak of the process, MB | {ticks} |",
        "|---|" + "---:|" * len(GROWTH_TICKS),
    ]
    for name, reached in result["growth"].items():
        lines.append(f"| {name} | {' | '.join(f'{reached[str(t)] / 1e6:,.0f}' for t in GROWTH_TICKS)} |")
    return "\n".join(lines)


def main() -> None:
    """Measures, or prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    peaks.add_options(parser)
    parser.add_argument("--growing-nodes", type=int, default=2_000)
    parser.add_argument("--task", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        task, name, num_nodes = arguments.task
        print(json.dumps({"prediction": predicted_and_measured, "growth": growth}[task](name, int(num_nodes))))
        return
    if not arguments.table:
        result = {
            "num_nodes": {"prediction": arguments.nodes, "growth": arguments.growing_nodes},
            "prediction": {name: in_a_process(MODULE, "prediction", name, str(arguments.nodes)) for name in PREDICTED},
            "growth": {name: in_a_process(MODULE, "growth", name, str(arguments.growing_nodes)) for name in GROWING},
            **circumstances(),
        }
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
        peaks.measure_and_write(arguments.nodes, arguments.large)
        print(shown(peaks.RESULT, peaks.table), end="\n\n")
    print(shown(RESULT, table))


if __name__ == "__main__":
    main()
