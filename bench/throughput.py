"""How fast a tick is, and what share that is of what this machine's memory allows.

`python -m bench.throughput` measures one workload beside the ceiling of memory, and `--compare torch` also beside
batched PyTorch loops that do the same work. `--suite` measures a set of workloads with all of these and writes
`bench/results/throughput.json`; options of the workload then hold where the set says nothing else. All take turns,
each in a process of its own on the same cores with the same pages. `--table` prints what was measured.

A tick's time is that of `jdgnn.run`, compilation apart. `bench.roofline` says what roofline and ceiling are. Absolute
rates swing on shared machines: compare within a result.
"""

import argparse
import dataclasses
import importlib.util
import json
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import rates, turns
from bench.machine import RESULTS, circumstances, shown
from bench.roofline import model_bytes
from bench.turns import ranged, rounded
from bench.watch import PROCESS_BYTES, available
from bench.worker import ContenderError
from bench.workload import CHOICES, Options, emulator_of, network_of
from jdgnn.backend.backend import NAMES
from jdgnn.emulation.memory import state_bytes

RESULT = RESULTS / "throughput.json"
FORMS = {"PyTorch, batched, autograd": "BatchedAutograd", "PyTorch, batched, gradient by hand": "BatchedByHand"}
TUNED = {"PyTorch, batched, by hand and in place": "BatchedTuned"}
COMPARABLE: dict[str, tuple[Any, ...]] = {
    "layers": (1,),
    "gossip": (True,),
    "merge": ("average",),
    "objective": ("edge_reconstruction",),
    "asynchronous": (False,),
    "optimizer": ("sgd", "adam"),
}
SHARED = ("nodes", "units", "positives", "negatives", "degree", "seed", "optimizer", "dtype")
FASTEST = "fastest"


def suite(base: Options) -> dict[str, Options]:
    """The committed set: the base with something changed in each."""
    changes: dict[str, dict[str, Any]] = {f"{sampler}, SGD": {"sampler": sampler} for sampler in CHOICES["sampler"]}
    changes |= {
        "rotation, Adam": {"optimizer": "adam"},
        "rotation, momentum": {"optimizer": "momentum"},
        "rotation, SGD, two layers": {"layers": 2},
        "rotation, SGD, InfoNCE": {"objective": "info_nce"},
        "rotation, SGD, every 10th tick recorded": {"record_every": 10},
        "rotation, SGD, without kernels": {"backend": "plain"},
        "rotation, SGD, half asleep, messages dropped and late": {"asynchronous": True},
    }
    return {name: dataclasses.replace(base, **change) for name, change in changes.items()}


def why_not_comparable(options: Options) -> str | None:
    """Why the PyTorch loops do not do this work; None if they do."""
    for name, known in COMPARABLE.items():
        if (value := getattr(options, name)) not in known:
            return f"{name} is {value}, and the PyTorch loops know {' and '.join(map(str, known))}"
    if options.positives > options.degree:
        return f"the PyTorch loops need as many neighbours as positives, {options.positives}"
    return None


def loops(options: Options) -> dict[str, tuple[str, dict[str, Any]]]:
    """The PyTorch loops that do this work, as contenders."""
    return {name: (f"bench.torch_loops:{form}", torch_work(options)) for name, form in (FORMS | TUNED).items()}


def torch_work(options: Options) -> dict[str, Any]:
    """What the PyTorch loops are to do."""
    return {name: getattr(options, name) for name in SHARED}


def compare(measured: dict[str, Any], work: Options) -> None:
    """Adds rates of the PyTorch loops, and rates over the better of those that one would write first."""
    others = measured.pop("others")
    measured["torch"] = {
        name: turns.spread([work.nodes / time for time in seconds["all"]]) for name, seconds in others.items()
    }
    if not others:
        return
    better = better_of(measured["torch"])
    for figures in measured["settings"].values():
        options = Options(**figures["options"])
        if why_not_comparable(options) is None and torch_work(options) == torch_work(work):
            figures["over_torch"] = turns.ratios(figures["rates"]["all"], measured["torch"][better]["all"])


def better_of(rates_by_form: Mapping[str, Any]) -> str:
    """The faster of the forms that one would write first."""
    return max(FORMS, key=lambda name: rates_by_form[name]["median"])


def together(batches: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Batches as one result: what was measured in each of them is spread over all their rounds."""
    result: dict[str, Any] = {"settings": {}, "ceilings": {}, "torch": {}}
    for batch in batches:
        result["settings"] |= batch["settings"]
        for kind in ("ceilings", "torch"):
            for name, figures in batch[kind].items():
                before = result[kind].get(name, {"all": []})["all"]
                result[kind][name] = turns.spread(before + figures["all"])
    return result


def in_batches(settings: Mapping[str, Options], most_bytes: float) -> list[dict[str, Options]]:
    """Settings, in their order, in batches whose processes fit into that much memory; no batch is empty."""
    batches, taken = [dict[str, Options]()], 0.0
    for name, options in settings.items():
        ceilings = {rates.ceiling_of(other) for other in batches[-1].values()}
        need = worker_bytes(options)
        if batches[-1] and taken + need + ceiling_bytes(options, ceilings) > most_bytes:
            batches, taken, ceilings = [*batches, {}], 0.0, set()
        batches[-1][name] = options
        taken += need + ceiling_bytes(options, ceilings)
    return batches


def worker_bytes(options: Options) -> float:
    """About what the process of a workload holds: half as much again as the state, and what any process takes."""
    small = dataclasses.replace(options, nodes=min(options.nodes, 2_000))
    state = sum(state_bytes(emulator_of(small).shapes(network_of(small))).values())
    return 1.5 * state * options.nodes / small.nodes + PROCESS_BYTES


def ceiling_bytes(options: Options, there: Collection[str]) -> float:
    """What the process of its ceiling holds, unless another workload has the same."""
    return 0.0 if rates.ceiling_of(options) in there else model_bytes(options) + PROCESS_BYTES


def loop_bytes(options: Options) -> float:
    """About what the process of a PyTorch loop holds: parameters, gradients, and what is merged, gathered and fresh."""
    return 4 * model_bytes(options) + PROCESS_BYTES


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    better = better_of(result["torch"]) if result["torch"] else None
    lines = [
        "| workload | node-updates/s (range) | ms per tick | roofline, kB: strict, streaming | roofline fraction, % "
        "| speed-up over PyTorch | compile time, s | kernels |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    lines += [row(name, figures) for name, figures in result["settings"].items()]
    for name, speed in result["torch"].items():
        note = " (the better of two)" if name == better else ""
        lines.append(f"| {name}{note} | {ranged(speed)} | | | | | | |")
    lines += ["", f"| ceiling, {turns.setting(result)} | GB/s |", "|---|---:|"]
    lines += [
        f"| {name} | {ranged({key: speed[key] / 1e9 for key in ('median', 'lowest', 'highest')})} |"
        for name, speed in result["ceilings"].items()
    ]
    return "\n".join(lines)


def row(name: str, figures: Mapping[str, Any]) -> str:
    """One workload's line of the table."""
    shares, over = figures["roofline_fraction"].values(), figures.get("over_torch")
    cells = [
        ranged(figures["rates"]),
        rounded(1e3 * figures["seconds"]["median"]),
        ", ".join(f"{sum(parts.values()) / 1e3:.1f}" for parts in figures["roofline"].values()),
        ", ".join(f"{100 * share['median']:.0f}" for share in shares),
        "" if over is None else f"{over['median']:.2g} ({over['lowest']:.2g} to {over['highest']:.2g})",
        f"{figures['compile_seconds']:.1f}",
        "yes" if figures["why_plain"] is None else f"no: {figures['why_plain']}",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def details(measured: dict[str, Any]) -> str:
    """What the table leaves out: ticks per second, quartiles and bytes by part."""
    lines = []
    for name, figures in measured["settings"].items():
        times = figures["seconds"]
        low, high = (1e3 * times[which] for which in ("lowest", "highest"))
        lines.append(
            f"{name}: {rounded(1 / times['median'])} ticks/s; {low:.3g} to {high:.3g} ms a tick in {len(times['all'])} "
            f"rounds of {figures['ticks']}; ready in {figures['setup_seconds']:.1f} s"
        )
        for count, parts in figures["roofline"].items():
            told = ", ".join(f"{part} {size:,.0f}" for part, size in parts.items() if size)
            lines.append(f"  bytes per node-update, {count}: {sum(parts.values()):,.0f} ({told})")
    return "\n".join(lines)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a workload, one for each field of `Options`."""
    for field in dataclasses.fields(Options):
        flag = f"--{field.name.replace('_', '-')}"
        if field.name == "backend":
            parser.add_argument(flag, choices=[FASTEST, *NAMES], default=FASTEST)
        elif field.name in CHOICES:
            parser.add_argument(flag, choices=CHOICES[field.name], default=field.default)
        elif isinstance(field.default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=field.default)
        else:
            least = int if field.name == "seed" else turns.positive
            parser.add_argument(flag, type=least, default=field.default, help="default: %(default)s")


def options_of(arguments: argparse.Namespace) -> Options:
    """The workload that was asked for."""
    values = {field.name: getattr(arguments, field.name) for field in dataclasses.fields(Options)}
    return Options(**values | {"backend": None if arguments.backend == FASTEST else arguments.backend})


def parsed() -> argparse.Namespace:
    """Parses the arguments, and rejects invalid ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    turns.add_options(parser)
    parser.add_argument("--compare", choices=["torch"], help="measure batched PyTorch loops in turn with it")
    parser.add_argument("--suite", action="store_true", help="measure the committed set")
    parser.add_argument(
        "--gigabytes",
        type=float,
        default=20.0,
        help="that all processes may hold together; settings that need more take turns in batches, each with the "
        "PyTorch loops (default: %(default)s)",
    )
    parser.add_argument("--json", type=Path, help=f"the file with the result; {RESULT.name} for --suite")
    parser.add_argument("--table", action="store_true", help="print the figures in that file and measure nothing")
    arguments = parser.parse_args()
    if arguments.compare and (reason := why_not_comparable(options_of(arguments))):
        parser.error(f"--compare torch: {reason}")
    if arguments.suite and (reason := why_not_comparable(options_of(arguments))):
        parser.error(f"--suite: {reason}")
    return arguments


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measures what was asked for."""
    base = options_of(arguments)
    settings = suite(base) if arguments.suite else {"jdgnn": base}
    others = loops(base) if arguments.compare or arguments.suite else {}
    if others and importlib.util.find_spec("torch") is None:
        message = "PyTorch is not installed (pip install torch)"
        if arguments.compare:
            sys.exit(f"--compare torch: {message}")
        print(f"the PyTorch loops are left out: {message}", flush=True)
        others = {}
    room = min(1e9 * arguments.gigabytes, available()) - len(others) * loop_bytes(base)
    batches = []
    try:
        for batch in in_batches(settings, room):
            batches.append(rates.measure(arguments, batch, others))
            compare(batches[-1], base)
    except ContenderError as error:
        sys.exit(str(error))
    about = {name: getattr(arguments, name) for name in ("threads", "pages", "rounds")}
    return {**together(batches), **about, "batches": [list(batch["settings"]) for batch in batches], **circumstances()}


def main() -> None:
    """Measures, or prints what was measured."""
    arguments = parsed()
    file = arguments.json or RESULT
    if arguments.table:
        print(shown(file, table))
        return
    result = run(arguments)
    if arguments.json or arguments.suite:
        file.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{details(result)}\n\n{table(result)}")


if __name__ == "__main__":
    main()
