"""What a tick costs over the number of nodes, of edges and of layers.

`python -m bench.scaling` goes through sizes until the memory that a run would take is not there (or to `--most`). At
each, the workload takes turns with the same one of the size that all are compared with and with the ceiling of memory,
each in a process of its own. Then it varies the degree, and the number of layers. It writes
`bench/results/scaling.json` and `docs/scaling.png`; `--table` and `--plot` show again what was measured.
"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from bench import rates, roofline, turns
from bench.machine import RESULTS, ROOT, circumstances
from bench.turns import ranged, rounded
from bench.watch import PROCESS_BYTES, available
from bench.worker import ContenderError
from bench.workload import CHOICES, Options, emulator_of, network_of

RESULT, PICTURE = RESULTS / "scaling.json", ROOT / "docs" / "scaling.png"
SIZES = tuple(int(digit * 10**power) for power in range(3, 8) for digit in (1, 2, 5))
TWO_LAYERS = (100_000,)
SWEEPS: dict[str, tuple[int, ...]] = {"degree": (4, 8, 16, 32), "layers": (1, 2, 3, 4)}
TITLES = {"degree": "neighbours of a node", "layers": "layers"}
THIS, REFERENCE = "this size", "reference"
PROBE_NODES = 2_000


def bytes_per_node(options: Options) -> float:
    """What a run takes for each node, by a small network: all that matters grows with nodes."""
    small = dataclasses.replace(options, nodes=PROBE_NODES)
    return sum(emulator_of(small).memory(network_of(small)).values()) / PROBE_NODES


def over_nodes(arguments: argparse.Namespace, base: Options, sizes: tuple[int, ...]) -> dict[str, Any]:
    """Figures at each size, and why there are no larger ones."""
    points: dict[str, Any] = {}
    each = bytes_per_node(base)
    for size in [size for size in sizes if size <= arguments.most]:
        this, predicted = dataclasses.replace(base, nodes=size), each * size
        # each with an array of the size of its models, for the ceiling
        need = (
            predicted + each * base.nodes + roofline.model_bytes(this) + roofline.model_bytes(base) + 4 * PROCESS_BYTES
        )
        free = available()
        if need > free:
            ended = f"{size:,} nodes and the reference would take {need / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free"
            print(ended, flush=True)
            return {"points": points, "ended": ended}
        print(f"{size:,} nodes, {what(dataclasses.asdict(base))}", flush=True)
        settings = {THIS: this, REFERENCE: base}
        points[str(size)] = point(rates.measure(arguments, settings)) | {"predicted_bytes": predicted}
    return {"points": points, "ended": f"more than {arguments.most:,} nodes were not asked for"}


def point(measured: dict[str, Any]) -> dict[str, Any]:
    """Figures of one size: its own, the ceiling, and its cost per node-update over that of the reference."""
    this, reference = measured["settings"][THIS], measured["settings"][REFERENCE]
    return {
        **this,
        "ceiling_rate": measured["ceilings"][this["ceiling"]],
        "over_reference": turns.ratios(reference["rates"]["all"], this["rates"]["all"]),
    }


def over(arguments: argparse.Namespace, base: Options, sweep: str) -> dict[str, Any]:
    """Figures with one option varied, and times of a tick over that of its first value; all in turn."""
    print(TITLES[sweep], flush=True)
    settings = {f"{sweep} {value}": Options(**{**dataclasses.asdict(base), sweep: value}) for value in SWEEPS[sweep]}
    figures = rates.measure(arguments, settings)["settings"]
    first, *_ = figures.values()
    for setting in figures.values():
        setting["over_first"] = turns.ratios(setting["seconds"]["all"], first["seconds"]["all"])
    return figures


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything, and on what it was measured."""
    base = Options(nodes=arguments.nodes, units=arguments.units, layers=arguments.layers, optimizer=arguments.optimizer)
    return {
        "base": dataclasses.asdict(base),
        "nodes": over_nodes(arguments, base, SIZES),
        "two_layers": over_nodes(arguments, dataclasses.replace(base, layers=2), TWO_LAYERS),
        "sweeps": {sweep: over(arguments, base, sweep) for sweep in SWEEPS},
        "threads": arguments.threads,
        "pages": arguments.pages,
        "rounds": arguments.rounds,
        **circumstances(),
    }


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    base = result["base"]
    lines = [
        f"| nodes ({turns.setting(result)}) | layers | node-updates/s (range) | ms per tick | µs per node-update "
        f"| relative to {base['nodes']:,} nodes | ceiling, GB/s | roofline fraction, % | peak of the process, GB |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for part in ("nodes", "two_layers"):
        lines += [row(f"{int(size):,}", figures) for size, figures in result[part]["points"].items()]
    lines += ["", f"Larger sizes were not measured: {result['nodes']['ended']}."]
    for sweep, settings in result["sweeps"].items():
        lines += [
            "",
            f"| {TITLES[sweep]} ({base['nodes']:,} nodes) | ms per tick | ratio to the first | ratio of rooflines |",
        ]
        lines += ["|---|---:|---:|---:|"]
        first, *_ = settings.values()
        for figures in settings.values():
            rooflines = [sum(each["roofline"]["streaming"].values()) for each in (figures, first)]
            cells = [rounded(1e3 * figures["seconds"]["median"]), ranged(figures["over_first"])]
            lines.append(f"| {figures['options'][sweep]} | {' | '.join(cells)} | {rooflines[0] / rooflines[1]:.2f} |")
    return "\n".join(lines)


def what(base: dict[str, Any]) -> str:
    """The workload in a few words."""
    layers = "one layer" if base["layers"] == 1 else f"{base['layers']} layers"
    return f"{layers} of {base['units']} units, {base['optimizer']}"


def row(size: str, figures: dict[str, Any]) -> str:
    """One size's line of the table."""
    cells = [
        what(figures["options"]),
        ranged(figures["rates"]),
        rounded(1e3 * figures["seconds"]["median"]),
        rounded(1e6 / figures["rates"]["median"]),
        f"{figures['over_reference']['median']:.2f}",
        rounded(figures["ceiling_rate"]["median"] / 1e9),
        f"{100 * figures['roofline_fraction']['streaming']['median']:.0f}",
        f"{figures['peak_bytes'] / 1e9:.2f}",
    ]
    return f"| {size} | {' | '.join(cells)} |"


def plot(result: dict[str, Any], path: Path) -> None:
    """Draws rate and memory over nodes, and the time of a tick over edges and layers."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure, (rate, memory, cost) = pyplot.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
    draw_nodes(rate, memory, result["nodes"]["points"])
    draw_sweeps(cost, result["sweeps"])
    for axes in (rate, memory, cost):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(path, dpi=160)
    pyplot.close(figure)


def draw_nodes(rate: Any, memory: Any, points: dict[str, Any]) -> None:
    """Rates with what the roofline would allow, and memory as measured and as predicted."""
    sizes, figures = [int(size) for size in points], list(points.values())
    rates_, lows, highs = ([each["rates"][which] for each in figures] for which in ("median", "lowest", "highest"))
    allowed = [each["ceiling_rate"]["median"] / sum(each["roofline"]["streaming"].values()) for each in figures]
    rate.plot(sizes, allowed, "--", color="#999999", label="what the roofline allows")
    rate.plot(sizes, rates_, "o-", color="#0072b2", label="jdgnn, median and range")
    rate.fill_between(sizes, lows, highs, color="#0072b2", alpha=0.25, linewidth=0)
    rate.set(xscale="log", yscale="log", xlabel="nodes", ylabel="node-updates per second")
    rate.set_ylim(bottom=min(lows) / 3)
    gigabytes = [each["peak_bytes"] / 1e9 for each in figures]
    memory.plot(sizes, gigabytes, "o-", color="#0072b2", label="peak of the process")
    predicted = [each["predicted_bytes"] / 1e9 for each in figures]
    memory.plot(sizes, predicted, "s--", color="#d55e00", label="predicted for the run")
    memory.set(xscale="log", yscale="log", xlabel="nodes", ylabel="memory, GB")


def draw_sweeps(cost: Any, sweeps: dict[str, Any]) -> None:
    """Times of a tick over the first value's."""
    for (sweep, settings), colour, marker in zip(sweeps.items(), ("#0072b2", "#d55e00"), "os", strict=True):
        values = [figures["options"][sweep] for figures in settings.values()]
        times = [figures["over_first"]["median"] for figures in settings.values()]
        label = f"{TITLES[sweep]} (from {values[0]})"
        cost.plot([value / values[0] for value in values], times, f"{marker}-", color=colour, label=label)
    most = max(SWEEPS["degree"]) / min(SWEEPS["degree"])
    cost.plot([1, most], [1, most], ":", color="#999999", label="proportional")
    cost.set(xscale="log", yscale="log", xlabel="times as many", ylabel="time of a tick, times as long")
    cost.set_xticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    cost.set_yticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    cost.minorticks_off()


def main() -> None:
    """Measures, or shows what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=turns.positive, default=20_000, help="that all sizes are compared with")
    parser.add_argument("--most", type=turns.positive, default=SIZES[-1], help="nodes (default: %(default)s)")
    parser.add_argument("--units", type=turns.positive, default=64)
    parser.add_argument("--layers", type=turns.positive, default=1)
    parser.add_argument("--optimizer", choices=CHOICES["optimizer"], default="sgd")
    turns.add_options(parser, rounds=5)
    turns.add_result_options(parser, RESULT)
    parser.add_argument("--plot", action="store_true", help="draw the figures in that file and measure nothing")
    arguments = parser.parse_args()
    if not (arguments.table or arguments.plot):
        try:
            result = measure(arguments)
        except ContenderError as error:
            sys.exit(str(error))
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")
    turns.show(arguments, table, plot, RESULT, PICTURE)


if __name__ == "__main__":
    main()
