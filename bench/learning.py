"""What the shipped configurations learn, against their baselines, over several seeds.

`python -m bench.learning` runs them and writes `bench/results/learning.json`; `--table` prints its figures as the
Markdown table that stands in the README.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import jdgnn
from bench.machine import RESULTS, ROOT, circumstances, over_seeds
from jdgnn.experiment.cli.main import main as jdgnn_command
from jdgnn.experiment.config.schema import read
from jdgnn.experiment.results.labels import EMBEDDINGS

RESULT = RESULTS / "learning.json"
CONFIGS = ("quickstart", "cora", "freifunk")
"""The last two are the default recipe, which `bench.quality` measures; they take minutes."""


def run_config(name: str, seed: int, data_root: str | None, directory: Path) -> dict[str, Any]:
    """Runs one configuration from the command line and gives its summary."""
    out = directory / f"{name}-{seed}"
    command = ["run", str(ROOT / "configs" / f"{name}.toml"), "--set", f"seed={seed}", "--out", str(out)]
    status = jdgnn_command([*command, "--data-root", data_root] if data_root else command)
    if status:
        sys.exit(status)
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return summary


def collect(summaries: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures of one configuration over its seeds."""
    metric = next(iter(summaries[0]["tasks"]["linear_probe"]))
    probes = [summary["tasks"]["linear_probe"][metric] for summary in summaries]
    return {
        "dataset": summaries[0]["dataset"],
        "nodes": summaries[0]["nodes"],
        "ticks": summaries[0]["ticks"],
        "metric": metric,
        "num_splits": len(probes[0]["learned"]["values"]),
        "width": probes[0]["learned"]["width"],
        "probe": {name: over_seeds([probe[name]["mean"] for probe in probes]) for name in EMBEDDINGS},
        "wall_seconds": over_seeds([summary["wall_seconds"] for summary in summaries]),
        "compile_seconds": over_seeds([summary["compile_seconds"] for summary in summaries]),
        "emulate_seconds": over_seeds([summary["emulate_seconds"] for summary in summaries]),
        "consensus_distance": over_seeds([summary["consensus_distance"] for summary in summaries]),
        "bytes_sent": summaries[0]["bytes_sent"],
    }


def table(result: dict[str, Any]) -> str:
    """The figures as a Markdown table, in percent."""
    configs = result["configs"]
    titles = [f"{c['dataset']} ({c['metric'].replace('_', '-')})" for c in configs.values()]
    rows = [["linear probe, %", *titles], ["---"] * (len(titles) + 1)]
    for name, label in EMBEDDINGS.items():
        figures = [c["probe"].get(name) for c in configs.values()]  # a result may be older than a baseline
        if any(figures):
            rows.append([label, *(f"{100 * f['mean']:.1f} ± {100 * f['sd']:.1f}" if f else "" for f in figures)])
    rows.append(["nodes; ticks", *(f"{c['nodes']:,}; {c['ticks']}" for c in configs.values())])
    cores = [f"{c['wall_seconds']['mean']:.0f} on {c['machine']['cores']} cores" for c in configs.values()]
    rows.append(["seconds for a run", *cores])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main() -> None:
    """Runs the configurations, or prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", help="directory with a folder for each data set")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--configs", nargs="+", default=["quickstart"], choices=CONFIGS)
    parser.add_argument("--table", action="store_true", help="print the committed figures and measure nothing")
    arguments = parser.parse_args()
    if arguments.table:
        print(table(json.loads(RESULT.read_text())))
        return
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {"configs": {}}
    for name in arguments.configs:  # before minutes are spent
        config = read(ROOT / "configs" / f"{name}.toml")
        jdgnn.datasets.load(config.network.name, data_root=arguments.data_root)
    with tempfile.TemporaryDirectory() as directory:
        for name in arguments.configs:
            summaries = [
                run_config(name, seed, arguments.data_root, Path(directory)) for seed in range(arguments.seeds)
            ]
            result["configs"][name] = {**circumstances(), **collect(summaries)}
            RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(table(result))


if __name__ == "__main__":
    main()
