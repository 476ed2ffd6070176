"""How fast others do the work of a tick: gossipy, and PyTorch loops that a user would write instead of an emulator.

`python -m bench.peers` runs the contenders in turn, each in a process of its own on the same cores with the same pages,
several times over. It writes `bench/results/peers.json` and `docs/peers.png`; `--table` and `--plot` show again what
was measured. PyTorch and gossipy are not among the project's requirements: a contender whose library is missing is left
out, and the program says what to install. `--gossipy-python` names the interpreter of another environment for gossipy.

The work of one node-update is in `bench.torch_loops`, and what gossipy does differently in `bench.gossipy_peer`.
Contenders have as many nodes as they can finish in time; rates hardly depend on it for those with an object per node.
Absolute rates swing on shared machines: compare within a result.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from bench import turns
from bench.machine import RESULTS, ROOT, circumstances
from bench.turns import ranged, rounded
from bench.worker import ContenderError

RESULT, PICTURE = RESULTS / "peers.json", ROOT / "docs" / "peers.png"
WORK: dict[str, int] = {"units": 64, "positives": 8, "negatives": 8, "degree": 8, "seed": 0}
OURS = "jdgnn"
VERSIONS = ("torch", "gossipy-dfl")


class Entry(NamedTuple):
    """A contender: what it is called, which option says how many nodes it has, and what must be installed for it."""

    label: str
    factory: str
    sized_by: str
    needs: tuple[str, ...] = ()


ENTRIES = {
    "gossipy": Entry("gossipy", "bench.gossipy_peer:Gossipy", "gossipy_nodes", VERSIONS),
    "object-per-node": Entry(
        "PyTorch, an object per node", "bench.torch_loops:ObjectPerNode", "object_nodes", ("torch",)
    ),
    "batched-autograd": Entry("PyTorch, batched, autograd", "bench.torch_loops:BatchedAutograd", "nodes", ("torch",)),
    "batched-by-hand": Entry(
        "PyTorch, batched, gradient by hand", "bench.torch_loops:BatchedByHand", "nodes", ("torch",)
    ),
    "batched-tuned": Entry(
        "PyTorch, batched, by hand and in place", "bench.torch_loops:BatchedTuned", "nodes", ("torch",)
    ),
    OURS: Entry("jdgnn", "bench.workload:emulated", "nodes"),
}


def installed(python: str, packages: tuple[str, ...]) -> dict[str, str]:
    """Versions of those packages that an interpreter has."""
    program = (
        "import importlib.metadata, json, sys; "
        "all = {d.metadata['Name']: d.version for d in importlib.metadata.distributions()}; "
        "print(json.dumps({name: all[name] for name in sys.argv[1:] if name in all}))"
    )
    done = subprocess.run([python, "-c", program, *packages], capture_output=True, text=True, check=True)
    versions: dict[str, str] = json.loads(done.stdout)
    return versions


def missing(pythons: Mapping[str, str]) -> dict[str, list[str]]:
    """What has to be installed for each contender that cannot run."""
    lacking = {}
    for name, python in pythons.items():
        there = installed(python, ENTRIES[name].needs)
        if absent := [package for package in ENTRIES[name].needs if package not in there]:
            lacking[name] = absent
    return lacking


def measure(arguments: argparse.Namespace, pythons: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Node-updates a second of each contender in each round, taken in turn."""
    figures: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        running = {}
        for name, python in pythons.items():
            entry, nodes = ENTRIES[name], getattr(arguments, ENTRIES[name].sized_by)
            contender = turns.start(arguments, name, entry.factory, python, **WORK, nodes=nodes)
            running[name] = stack.enter_context(contender)
            figures[name] = {
                "nodes": nodes,
                "ticks": turns.ticks_for(arguments, contender),
                "setup_seconds": contender.setup_seconds,
                "versions": installed(python, entry.needs),
            }
        ticks = {name: figure["ticks"] for name, figure in figures.items()}
        seconds = turns.take_turns(running, ticks, arguments.rounds, print)
    for name, figure in figures.items():
        figure["rates"] = turns.spread([figure["nodes"] / time for time in seconds[name]])
    return figures


def summarise(figures: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Adds jdgnn's rate over each contender's, both of the same round."""
    ours = figures.get(OURS)
    for figure in figures.values():
        figure["jdgnn_over_this"] = turns.ratios(ours["rates"]["all"], figure["rates"]["all"]) if ours else None
    return figures


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        f"| one 64-unit layer, {turns.setting(result)} | nodes | node-updates/s (range) | jdgnn: times as fast |",
        "|---|---:|---:|---:|",
    ]
    for name, figure in result["contenders"].items():
        ratio = figure["jdgnn_over_this"]
        over = "" if ratio is None else f"{ratio['median']:.3g}"
        lines.append(f"| {ENTRIES[name].label} | {figure['nodes']:,} | {ranged(figure['rates'])} | {over} |")
    return "\n".join(lines)


def plot(result: dict[str, Any], path: Path) -> None:
    """Draws the medians as bars on a logarithmic axis, and the spread as lines on them."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    contenders = result["contenders"]
    figure, axes = pyplot.subplots(figsize=(8, 0.6 * len(contenders) + 1.2), layout="constrained")
    labels = [f"{ENTRIES[name].label}\n{contender['nodes']:,} nodes" for name, contender in contenders.items()]
    medians, lows, highs = (
        [contender["rates"][which] for contender in contenders.values()] for which in ("median", "lowest", "highest")
    )
    spread = [[abs(end - median) for median, end in zip(medians, ends, strict=True)] for ends in (lows, highs)]
    colours = ["#0072b2" if name == OURS else "#999999" for name in contenders]
    axes.barh(labels, medians, color=colours, height=0.65)
    axes.errorbar(medians, labels, xerr=spread, fmt="none", ecolor="black", elinewidth=1, capsize=3)
    for place, (median, high) in enumerate(zip(medians, highs, strict=True)):
        axes.annotate(rounded(median), (high, place), (5, 0), textcoords="offset points", va="center")
    axes.set_xscale("log")
    axes.set_xlim(100, 6 * max(highs))
    axes.set_xlabel(f"node-updates per second on {result['threads']} cores: median and range (logarithmic)")
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    figure.savefig(path, dpi=160)
    pyplot.close(figure)


def chosen(arguments: argparse.Namespace) -> dict[str, str]:
    """The contenders that run, with the interpreter of each; says which are left out, and ends if one was asked for."""
    pythons = {
        name: str(Path(arguments.gossipy_python).absolute()) if name == "gossipy" else sys.executable
        for name in arguments.only or ENTRIES
    }
    for name, packages in missing(pythons).items():
        needed = f"it needs {' and '.join(packages)}: pip install {' '.join(packages)}"
        if arguments.only:
            sys.exit(f"{name} cannot run: {needed}")
        print(f"{name} is left out: {needed}", flush=True)
        del pythons[name]
    return pythons


def compare(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measures what was chosen, and says on what."""
    pythons = chosen(arguments)
    try:
        figures = summarise(measure(arguments, pythons))
    except ContenderError as error:
        sys.exit(str(error))
    return {
        "work": WORK,
        "threads": arguments.threads,
        "pages": arguments.pages,
        "rounds": arguments.rounds,
        "contenders": figures,
        **circumstances(),
    }


def main() -> None:
    """Measures, or shows what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=20_000, help="of jdgnn and the batched loops")
    parser.add_argument("--object-nodes", type=int, default=2_000)
    parser.add_argument("--gossipy-nodes", type=int, default=500)
    turns.add_options(parser)
    parser.add_argument("--gossipy-python", default=sys.executable, help="an interpreter that has gossipy")
    parser.add_argument("--only", nargs="+", choices=ENTRIES, help="run these and write nothing")
    turns.add_result_options(parser, RESULT)
    parser.add_argument("--plot", action="store_true", help="draw the figures in that file and measure nothing")
    arguments = parser.parse_args()
    if shutil.which(arguments.gossipy_python) is None:
        parser.error(f"there is no interpreter {arguments.gossipy_python}")
    if not (arguments.table or arguments.plot):
        result = compare(arguments)
        if arguments.only:
            print(table(result))
            return
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")
    turns.show(arguments, table, plot, RESULT, PICTURE)


if __name__ == "__main__":
    main()
