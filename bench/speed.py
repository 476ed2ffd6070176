"""What a tick costs: synchronous, with loss and delay, and with few nodes awake.

`python -m bench.speed` runs the settings in turn in one process, several rounds of it, and writes
`bench/results/speed.json`; `--table` prints what was measured. Absolute times swing on shared machines: compare within
a result.
"""

import argparse
import json
import statistics
from typing import Any

import jax

import jdgnn
from bench.machine import RESULTS, circumstances, shown
from bench.workload import random_network
from jdgnn import clocks, links

RESULT = RESULTS / "speed.json"
UNITS = 64


def one_layer(link: jdgnn.Link | None = None, gossip: jdgnn.Gossip | None = None, **others: Any) -> jdgnn.Emulator:
    """One 64-unit layer, trained by gradient descent, one merge per wake; embeddings and pushes go over `link`."""
    return jdgnn.Emulator(
        layers=[jdgnn.gcn(UNITS)],
        objective=jdgnn.info_nce(),
        publish=jdgnn.publish(link=link),
        push=jdgnn.push(fanout=8, capacity=8, link=link),
        gossip=jdgnn.gossip() if gossip is None else gossip,
        num_positives=8,
        **({"optimizer": jdgnn.sgd(0.1)} | others),
    )


def settings() -> dict[str, jdgnn.Emulator]:
    """What is measured beside one another."""
    late = jdgnn.link(drop=0.1, delay=links.uniform(0, 10))
    tenth = jdgnn.availability(clocks.bernoulli(0.1))
    return {
        "synchronous": one_layer(),
        "drop 0.1, embeddings and pushes 0..10 ticks late": one_layer(late, jdgnn.gossip(link=jdgnn.link(drop=0.1))),
        "a tenth awake, all rows computed": one_layer(availability=tenth),
        "a tenth awake, their rows computed": one_layer(availability=tenth, active_fraction=0.125),
    }


def measure(num_nodes: int, rounds: int, ticks: int) -> dict[str, Any]:
    """Milliseconds a tick of each setting, in each round."""
    network, emulators = random_network(num_nodes), settings()
    states = {name: emulator.init(jax.random.key(0), network) for name, emulator in emulators.items()}
    seconds: dict[str, list[float]] = {name: [] for name in emulators}
    compiling = {}
    for round_number in range(rounds + 1):
        for name, emulator in emulators.items():
            states[name], history = jdgnn.run(emulator, states[name], network, ticks, record_every=2**30)
            if round_number:  # the first warms up
                seconds[name].append(history.seconds / ticks)
            else:
                compiling[name] = history.compile_seconds
    synchronous = seconds["synchronous"]
    return {
        "num_nodes": num_nodes,
        "ticks_per_round": ticks,
        "settings": {
            name: {
                "milliseconds": {"mean": 1e3 * statistics.mean(times), "sd": 1e3 * statistics.stdev(times)},
                "of_synchronous": statistics.median(t / s for t, s in zip(times, synchronous, strict=True)),
                "compile_seconds": compiling[name],
            }
            for name, times in seconds.items()
        },
        **circumstances(),
    }


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        f"| {result['num_nodes']:,} nodes, one 64-unit layer | ms per tick | ratio |",
        "|---|---:|---:|",
    ]
    for name, figures in result["settings"].items():
        time = figures["milliseconds"]
        lines.append(f"| {name} | {time['mean']:.0f} ± {time['sd']:.0f} | {figures['of_synchronous']:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measures, or prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--ticks", type=int, default=10)
    parser.add_argument("--table", action="store_true", help="print the committed figures and measure nothing")
    arguments = parser.parse_args()
    if not arguments.table:
        result = measure(arguments.nodes, arguments.rounds, arguments.ticks)
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(shown(RESULT, table))


if __name__ == "__main__":
    main()
