"""What the programs of the standard workload would do on a GPU, compiled for one without having it.

`make gpu-check` installs the compiler into a folder of its own, compiles all settings, and writes
`bench/results/gpu_check.json`; the exit status is 1 if a limit is broken. `python -m bench.gpu_check --table` prints
the result. P is the bytes of all parameters; a tick must at least move 3 P and its samples (Adam 7 P).
"""

import argparse
import fnmatch
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import jdgnn
from bench.machine import RESULTS, circumstances, shown
from bench.watch import in_a_process
from bench.workload import CHOICES, Options, emulator_of, network_of

RESULT, MODULE = RESULTS / "gpu_check.json", "bench.gpu_check"
MILLION = 1_000_000


class Limits(NamedTuple):
    """The most that an unrecorded tick may do; None for no limit of its own."""

    num_bytes: float | None = None  # in P of float32
    kernels: int = 150
    temp: float = 1.1  # in P, as it is stored
    peak: float | None = 142.0  # GB, of a million nodes


class Setting(NamedTuple):
    """What is compiled."""

    options: Options
    limits: Limits


RECORDED_KERNELS = 400
SGD, ADAM = Limits(4.5), Limits(9.5)
SAMPLERS = CHOICES["sampler"]
SETTINGS = {
    **{f"SGD, {sampler}": Setting(Options(sampler=sampler, layers=2), SGD) for sampler in SAMPLERS},
    **{f"Adam, {sampler}": Setting(Options(sampler=sampler, optimizer="adam", layers=2), ADAM) for sampler in SAMPLERS},
    "momentum, uniform": Setting(Options(sampler="uniform", optimizer="momentum", layers=2), Limits(7.8)),
    "SGD, uniform, InfoNCE": Setting(Options(sampler="uniform", objective="info_nce", layers=2), Limits(5.2)),
    "SGD, uniform, bfloat16": Setting(
        Options(sampler="uniform", param_dtype="bfloat16", layers=2), Limits(0.65 * 3.84, temp=1.7)
    ),
    "SGD, uniform, asynchronous": Setting(
        Options(sampler="uniform", asynchronous=True, layers=2), Limits(6.5, kernels=250, temp=1.4, peak=None)
    ),
    "SGD, uniform, trimmed mean of an inbox": Setting(
        Options(sampler="uniform", merge="trimmed_mean", layers=2), Limits(kernels=400, temp=4.0)
    ),
    **{f"SGD, {sampler}, one layer": Setting(Options(sampler=sampler), Limits(temp=1.2)) for sampler in SAMPLERS},
    **{
        f"Adam, {sampler}, one layer": Setting(Options(sampler=sampler, optimizer="adam"), Limits(temp=1.2))
        for sampler in SAMPLERS
    },
}


def check(name: str, num_nodes: int, gpu: str) -> dict[str, Any]:
    """Compiles one setting."""
    options = SETTINGS[name].options
    options = Options(**{**vars(options), "nodes": num_nodes})
    found = jdgnn.gpu_check(emulator_of(options), network_of(options), gpu=gpu)
    advance = found.programs["advance"]
    stored = 2 if options.param_dtype == "bfloat16" else 4
    assert advance.recorded is not None
    return {
        "bytes": found.in_parameters(found.tick.num_bytes) * stored / 4,
        "kernels": found.tick.kernels,
        "copies": found.in_parameters(found.tick.copied),
        "transposes": found.in_parameters(found.tick.transposed),
        "temp": found.in_parameters(advance.temp_bytes),
        "recorded_kernels": advance.recorded.kernels,
        "draw_kernels": found.programs["draw"].tick.kernels,
        "peak_at_a_million": found.peak_of(MILLION) / 1e9,
        "seconds": sum(program.seconds for program in found.programs.values()),
        "problems": found.problems(),
    }


def broken(name: str, figures: dict[str, Any]) -> list[str]:
    """The limits that a setting breaks."""
    limits = SETTINGS[name].limits
    compared = (
        ("bytes, P", figures["bytes"], limits.num_bytes),
        ("kernels", figures["kernels"], limits.kernels),
        ("temp, P", figures["temp"], limits.temp),
        ("kernels of a recorded tick", figures["recorded_kernels"], RECORDED_KERNELS),
        ("GB at a million nodes", figures["peak_at_a_million"], limits.peak),
        ("transposes, P", figures["transposes"], None if "asynchronous" in name else 0.1),
    )
    found = [f"{what}: {value:.4g}, limit {most:g}" for what, value, most in compared if most and value > most]
    return [*found, *figures["problems"]]


def table(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    lines = [
        f"| {result['num_nodes']:,} nodes, {result['gpu']}; unrecorded tick | bytes, P (limit) | kernels | temp, P | "
        "kernels of a recorded tick | GB at a million nodes |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, row in result["settings"].items():
        limit = SETTINGS[name].limits.num_bytes
        moved = f"{row['bytes']:.2f}" + ("" if limit is None else f" ({limit:.3g})")
        lines.append(
            f"| {name} | {moved} | {row['kernels']} | {row['temp']:.2f} | {row['recorded_kernels']} | "
            f"{row['peak_at_a_million']:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Compiles, or prints what was compiled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="print the result file")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="settings with such names, as in 'SGD*'")
    parser.add_argument("--nodes", type=int, default=20_000)
    parser.add_argument("--gpu", default="H200")
    parser.add_argument("--jobs", type=int, default=2, help="settings compiled at the same time")
    parser.add_argument("--task", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        name, num_nodes, gpu = arguments.task
        print(json.dumps(check(name, int(num_nodes), gpu)))
        return
    if not arguments.table:
        names = fnmatch.filter(SETTINGS, arguments.only)
        with ThreadPoolExecutor(arguments.jobs) as pool:
            tasks = [(MODULE, name, str(arguments.nodes), arguments.gpu) for name in names]
            rows = dict(zip(names, pool.map(lambda task: in_a_process(*task), tasks), strict=True))
        result = {"num_nodes": arguments.nodes, "gpu": arguments.gpu, "settings": rows, **circumstances()}
        if arguments.only == "*":
            RESULT.write_text(json.dumps(result, indent=2) + "\n")
        print(table(result))
        if problems := [f"{name}: {problem}" for name, row in rows.items() for problem in broken(name, row)]:
            sys.exit("\n".join(problems))
        return
    print(shown(RESULT, table))


if __name__ == "__main__":
    main()
