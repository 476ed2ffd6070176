"""What loss, sleep and delay do to learning on Cora, one at a time and together.

`python -m bench.asynchrony` runs configs/cora-projected.toml with messages lost, nodes asleep or messages late, and
configs/cora-async.toml with all of it and churn, at equal numbers of node-updates. It writes
`bench/results/asynchrony.json`; `--table` and `--plot FILE` show what was measured.
"""

import argparse
import json
import statistics
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

import jdgnn
from bench.machine import RESULTS, ROOT, circumstances, over_seeds
from jdgnn.evaluation import linear_probe
from jdgnn.experiment.config.networks import make_network
from jdgnn.experiment.config.schema import Config, resolve
from jdgnn.experiment.run.experiment import make_emulator
from jdgnn.protocol.accounts import OUTCOMES

RESULT = RESULTS / "asynchrony.json"
KINDS = ("publish", "push", "gossip")
SWEEPS: dict[str, tuple[float, ...]] = {  # from what the synchronous run has
    "drop": (0.0, 0.1, 0.3, 0.5, 0.7, 0.9),
    "awake": (1.0, 0.5, 0.25, 0.1),
    "delay": (0, 2, 5, 10, 20),
}
LABELS = {"drop": "messages dropped", "awake": "share of nodes awake", "delay": "longest delay, ticks (uniform from 0)"}
FIGURES = {"accuracy": "probe, %", "consensus_distance": "consensus distance", "staleness": "staleness, ticks"}


def shipped(name: str) -> dict[str, Any]:
    """The tables of a configuration of the project."""
    return tomllib.loads((ROOT / "configs" / f"{name}.toml").read_text())


def changed(sweep: str, value: float) -> dict[str, Any]:
    """The synchronous Cora with one thing changed, for as many node-updates."""
    tables = shipped("cora-projected")
    if sweep == "drop":
        for kind in KINDS:
            tables.setdefault(kind, {})["link"] = {"drop": value}
    if sweep == "delay":
        for kind in KINDS:
            tables.setdefault(kind, {})["link"] = {"delay": {"name": "uniform", "low": 0, "high": int(value)}}
        tables["gossip"]["pool"] = value / 2 + 2  # on average half the longest delay, and one tick, on the way
    if sweep == "awake":
        tables["availability"] = {"clock": {"name": "bernoulli", "prob": value}}
        tables["emulation"]["ticks"] = round(tables["emulation"]["ticks"] / value)
        if value <= 0.25:
            tables["emulation"]["active_fraction"] = 1.25 * value
    return tables


def measure(config: Config, network: jdgnn.Network) -> dict[str, Any]:
    """Runs one configuration, and probes what was learned."""
    emulator = make_emulator(config)
    state = emulator.init(jax.random.key(config.seed), network)
    untrained = linear_probe(emulator.encode(state.params, network), network).mean
    ticks = config.emulation.ticks
    state, history = jdgnn.run(emulator, state, network, ticks, record_every=max(1, ticks // 40))
    table = jdgnn.node_table(state, network)
    sent, *ends = history.messages[-1].sum(axis=0).tolist()
    return {
        "accuracy": 100 * linear_probe(emulator.embeddings(state), network).mean,
        "untrained": 100 * untrained,
        "consensus_distance": float(history.consensus_distance[-1]),
        "staleness": float(np.nanmean(history.staleness)),
        "node_updates": int(table["wakes"].sum()),
        "ticks": ticks,
        "seconds": history.seconds,
        "messages": {"sent": sent, **dict(zip(OUTCOMES[1:], ends, strict=True))},
    }


def measure_seeds(tables: dict[str, Any], seeds: int, data_root: Path | None, title: str) -> dict[str, Any]:
    """Mean and sd of the figures of one configuration, and its runs themselves."""
    runs = []
    for seed in range(seeds):
        config = resolve(tables | {"seed": seed})
        runs.append(measure(config, make_network(config.network, data_root=data_root, seed=seed)))
        print(title, {name: round(runs[-1][name], 4) for name in (*FIGURES, "seconds")}, flush=True)
    figures = {name: over_seeds([run[name] for run in runs]) for name in (*FIGURES, "untrained")}
    return {**figures, "runs": runs}


def row(label: str, value: str, point: dict[str, Any]) -> str:
    """One line of the table."""
    cells = [
        f"{point['accuracy']['mean']:.1f} ± {point['accuracy']['sd']:.1f}",
        f"{point['consensus_distance']['mean']:.4f}",
        f"{point['staleness']['mean']:.1f}",
        f"{statistics.mean(run['node_updates'] for run in point['runs']):,.0f}",
    ]
    return f"| {label} | {value} | {' | '.join(cells)} |"


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    synchronous, together = result["synchronous"], result["together"]
    untrained = synchronous["untrained"]
    lines = [
        f"| condition | value | {' | '.join(FIGURES.values())} | node-updates |",
        "|---|---:|---:|---:|---:|---:|",
        f"| untrained encoder | | {untrained['mean']:.1f} ± {untrained['sd']:.1f} | | | |",
        row("synchronous: `cora-projected.toml`", "", synchronous),
        row("all together, and churn: `cora-async.toml`", "", together),
    ]
    for sweep, points in result["sweeps"].items():
        lines += [row(LABELS[sweep], f"{float(value):g}", point) for value, point in points.items()]
    return "\n".join(lines)


def plot(result: dict[str, Any], path: Path) -> None:
    """Draws each figure over each sweep."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(FIGURES), len(SWEEPS), figsize=(10, 7.5), sharex="col", sharey="row")
    untrained = result["synchronous"]["untrained"]["mean"]
    for column, (sweep, swept) in enumerate(result["sweeps"].items()):
        points = {str(SWEEPS[sweep][0]): result["synchronous"], **swept}
        values = [float(value) for value in points]
        for row, (name, label) in enumerate(FIGURES.items()):
            axis = axes[row, column]
            means, sds = ([point[name][key] for point in points.values()] for key in ("mean", "sd"))
            axis.errorbar(values, means, sds, marker="o", capsize=3, label="learned")
            if name == "accuracy":
                axis.axhline(untrained, color="grey", linestyle="--", label="untrained encoder")
            if name == "consensus_distance":
                axis.set_yscale("log")
            if column == 0:
                axis.set_ylabel(label)
            axis.grid(alpha=0.3)
        axes[-1, column].set_xlabel(LABELS[sweep])
        if sweep == "awake":
            axes[-1, column].invert_xaxis()
    axes[0, 0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    """Runs the sweeps, or shows what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, help="directory with a folder for each data set")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="print the committed figures and measure nothing")
    parser.add_argument("--plot", type=Path, help="draw the committed figures and measure nothing")
    arguments = parser.parse_args()
    if not (arguments.table or arguments.plot):
        result: dict[str, Any] = {**circumstances(), "sweeps": {sweep: {} for sweep in SWEEPS}}
        with_seeds = partial(measure_seeds, seeds=arguments.seeds, data_root=arguments.data_root)
        result["synchronous"] = with_seeds(shipped("cora-projected"), title="synchronous")
        result["together"] = with_seeds(shipped("cora-async"), title="together")
        for sweep, values in SWEEPS.items():
            for value in values[1:]:  # the first is the synchronous run
                result["sweeps"][sweep][str(value)] = with_seeds(changed(sweep, value), title=f"{sweep} {value}")
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
    result = json.loads(RESULT.read_text())
    if arguments.plot:
        plot(result, arguments.plot)
    print(table(result))


if __name__ == "__main__":
    main()
