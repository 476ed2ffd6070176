"""Whether a run takes as much memory as it says beforehand, and no more later.

`python -m bench.memory` measures in processes of their own and writes `bench/results/memory.json`; `--table` prints it.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax

import jdgnn
from bench.machine import RESULTS, circumstances
from bench.speed import UNITS, random_network
from jdgnn import clocks, links, presence

RESULT = RESULTS / "memory.json"
GROWTH_TICKS = (20, 2000)


def emulator(name: str) -> jdgnn.Emulator:
    """One 64-unit layer; everything else as the name says."""
    late = jdgnn.link(loss=0.5, delay=links.uniform(0, 10))
    harsh = jdgnn.availability(clocks.bernoulli(0.5), presence.churn(50, 20))
    settings: dict[str, dict[str, Any]] = {
        "synchronous": {},
        "momentum": {"optimizer": jdgnn.momentum(0.1)},
        "loss": {
            "publish": jdgnn.publish(link=jdgnn.link(loss=0.5)),
            "gossip": jdgnn.gossip(link=jdgnn.link(loss=0.5)),
        },
        "late": {"publish": jdgnn.publish(link=late), "push": jdgnn.push(fanout=8, capacity=8, link=late)},
        "harsh": {
            "publish": jdgnn.publish(link=late),
            "push": jdgnn.push(fanout=8, capacity=8, link=late),
            "gossip": jdgnn.gossip(link=late, pool=3),
            "availability": harsh,
        },
    }
    base: dict[str, Any] = {
        "layers": [jdgnn.gcn(UNITS)],
        "objective": jdgnn.info_nce(),
        "optimizer": jdgnn.sgd(0.1),
        "push": jdgnn.push(fanout=8, capacity=8),
        "gossip": jdgnn.gossip(),
    }
    return jdgnn.Emulator(**(base | settings[name]))


def resident() -> int:
    """Bytes of memory this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


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


def predicted_and_measured(name: str, num_nodes: int) -> dict[str, Any]:
    """Bytes by part as predicted, and the peak of a run less what Python, JAX and a small run's code take."""
    network, setting = random_network(num_nodes), emulator(name)
    predicted = setting.memory(network)
    small = random_network(1000)
    jdgnn.run(setting, setting.init(jax.random.key(0), small), small, 5)
    before = resident()
    with peak() as most:
        state, _ = jdgnn.run(setting, setting.init(jax.random.key(0), network), network, 20)
    del state
    return {"predicted": predicted, "measured": most[0] - before}


def growth(name: str, num_nodes: int) -> dict[str, Any]:
    """Peak memory after few ticks and after many."""
    network, setting = random_network(num_nodes), emulator(name)
    state, reached, done = setting.init(jax.random.key(0), network), {}, 0
    for until in GROWTH_TICKS:
        with peak() as most:
            state, _ = jdgnn.run(setting, state, network, until - done, record_every=100)
        done, reached[str(until)] = until, most[0]
    return reached


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["| | predicted, MB | measured, MB | ratio |", "|---|---:|---:|---:|"]
    for name, figures in result["prediction"].items():
        predicted, measured = sum(figures["predicted"].values()), figures["measured"]
        lines.append(f"| {name} | {predicted / 1e6:,.0f} | {measured / 1e6:,.0f} | {measured / predicted:.2f} |")
    lines += ["", f"| peak of the process, MB | {' | '.join(f'{t} ticks' for t in GROWTH_TICKS)} |", "|---|---:|---:|"]
    for name, reached in result["growth"].items():
        lines.append(f"| {name} | {' | '.join(f'{reached[str(t)] / 1e6:,.0f}' for t in GROWTH_TICKS)} |")
    return "\n".join(lines)


def in_a_process(task: str, name: str, num_nodes: int) -> Any:
    """What a task prints, run in a process of its own."""
    command = [sys.executable, "-m", "bench.memory", "--task", task, name, str(num_nodes)]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    print(f"{task} {name}: {time.perf_counter() - started:.0f} s", flush=True)
    return json.loads(done.stdout)


def main() -> None:
    """Measures, or prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=60_000, help="for the prediction")
    parser.add_argument("--growing-nodes", type=int, default=2_000)
    parser.add_argument("--table", action="store_true", help="print the committed figures and measure nothing")
    parser.add_argument("--task", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        task, name, num_nodes = arguments.task
        print(json.dumps({"prediction": predicted_and_measured, "growth": growth}[task](name, int(num_nodes))))
        return
    if not arguments.table:
        result = {
            "num_nodes": {"prediction": arguments.nodes, "growth": arguments.growing_nodes},
            "prediction": {
                name: in_a_process("prediction", name, arguments.nodes)
                for name in ("synchronous", "momentum", "late", "harsh")
            },
            "growth": {name: in_a_process("growth", name, arguments.growing_nodes) for name in ("loss", "harsh")},
            **circumstances(),
        }
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(table(json.loads(RESULT.read_text())))


if __name__ == "__main__":
    main()
