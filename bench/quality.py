"""What one recipe learns on every network, against the baselines, over several seeds and tasks.

`python -m bench.quality` writes `bench/results/quality.json` after each run and goes on where it was left off. With
`--table` it prints the figures as Markdown. Hyper-parameters were chosen on validation nodes of Cora, and are the same
everywhere. `--ways ablations` measures what parts of the recipe are worth. `--bytes` prints what each way makes nodes
send, which is counted without training.
"""

import argparse
import dataclasses
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from rich import filesize

import jdgnn
from bench.ablations import ABLATIONS
from bench.machine import RESULTS, circumstances, over_seeds, shown
from bench.ways import EMBEDS, NAMES, Embed, recipe_of
from jdgnn import Network, evaluation

RESULT = RESULTS / "quality.json"
WAYS = EMBEDS | {way: embed for way, (_, embed) in ABLATIONS.items()}
TASKS = {
    "probe": "linear probe, %",
    "knn": "nearest neighbours, %",
    "few": "5 labels per class, %",
    "nmi": "clustering, NMI",
    "ari": "clustering, ARI",
    "auc": "links, AUC",
    "ap": "links, AP",
}

COSTS = {
    "decentralised": "decentralised",
    "centralised": "centralised",
    "end_to_end": "end_to_end",
    "untrained": "untrained",
    "raw": "raw",
    "hops_1": "propagated_1hop",
    "hops_2": "propagated_2hop",
    "hops_3": "propagated_3hop",
    "projected_2": "projected_2hop",
    "labels": "label_propagation",
}
"""What `jdgnn.evaluation.communication` calls the ways; where nodes sleep, only a run knows what is sent."""
KINDS = {
    "embedding": "embeddings",
    "push": "pushes",
    "model": "models",
    "gradient": "gradients of models",
    "embedding_gradient": "gradients of embeddings",
    "features": "features",
    "scores": "scores",
}


def judged(embed: Embed, network: Network, seed: int, tasks: list[str]) -> dict[str, Any]:
    """The figures of one embedding with one seed; probes keep those of every split, for paired differences."""
    found: dict[str, Any] = {}
    if {"probe", "knn", "few", "nmi"} & set(tasks):
        embeddings, own = embed(network, seed)
        if "probe" in tasks:
            found["probe"] = evaluation.linear_probe(embeddings, network, own_features=own).values.tolist()
        if "knn" in tasks:
            found["knn"] = evaluation.knn_probe(embeddings, network).values.tolist()
        if "few" in tasks:
            few = evaluation.few_label_probe(embeddings, network, seed=seed, own_features=own)
            found["few"] = [few.mean]
        if "nmi" in tasks:
            clusters = evaluation.clustering(embeddings, network, seed=seed)
            found |= {"nmi": [clusters.nmi], "ari": [clusters.ari]}
    if "auc" in tasks:
        held_out = evaluation.hold_out_links(network, 0.1, seed=seed)
        links_found = evaluation.link_prediction(embed(held_out.network, seed).vectors, held_out)
        found |= {"auc": [links_found.auc], "ap": [links_found.average_precision]}
    return found


def blocks(num_features: int, homophily: float, separation: float) -> Network:
    """A block model, which had no part in the choice of the recipe."""
    network = jdgnn.generators.stochastic_block_model(
        3000, 6, num_features, mean_degree=5, homophily=homophily, separation=separation, seed=2027
    )
    assert network.labels is not None
    splits = jdgnn.network.random_splits(network.labels, 10, per_class=20, validation=500)
    return dataclasses.replace(network, splits=splits)


PROJECTED = "cora, projected to 256"


def projected(data_root: str | None) -> Network:
    """Cora with fewer features, on which much can be tried; always the same projection."""
    network = jdgnn.datasets.load("cora", data_root=data_root)
    return dataclasses.replace(network, features=jdgnn.network.random_projection(network.features, 256, seed=0))


DRAWN: dict[str, Callable[[], Network]] = {
    "blocks, 300 features": partial(blocks, 300, 0.8, 2.0),
    "blocks, 20 features": partial(blocks, 20, 0.8, 1.0),
    "blocks, neighbours mislead": partial(blocks, 20, 0.1, 2.0),
}
TASKS_OF = {f"freifunk:{task}": task for task in ("city", "gateway")}
"""Other tasks on networks that have several, and networks of the generator."""


def networks(arguments: argparse.Namespace) -> Iterator[tuple[str, Network]]:
    """The networks asked for, one after another."""
    for name in arguments.datasets:
        if name in DRAWN:
            yield name, DRAWN[name]()
        elif name == PROJECTED:
            yield name, projected(arguments.data_root)
        else:
            task = TASKS_OF.get(name)
            yield name, jdgnn.datasets.load(name.split(":")[0], data_root=arguments.data_root, task=task)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Fills in what is missing, and writes after each piece."""
    result: dict[str, Any] = json.loads(RESULT.read_text()) if RESULT.exists() and not arguments.anew else {}
    for name, network in networks(arguments):
        figures = result.setdefault(name, {"figures": {}})["figures"]
        for way, embed in WAYS.items():
            if way not in arguments.ways:
                continue
            for seed in range(arguments.seeds):
                known = figures.setdefault(way, {}).setdefault(str(seed), {})
                missing = [task for task in arguments.tasks if task not in known]
                if not missing:
                    continue
                known |= judged(embed, network, seed, missing)
                means = ", ".join(f"{task} {np.mean(values):.3f}" for task, values in known.items())
                print(f"{name}, {way}, seed {seed}: {means}", flush=True)
                result[name] |= circumstances()
                RESULT.write_text(json.dumps(result, indent=1) + "\n")
        if "labels" in arguments.ways:
            figures["labels"] = {"0": {"probe": evaluation.label_propagation(network).values.tolist()}}
            RESULT.write_text(json.dumps(result, indent=1) + "\n")
    return result


def table(result: dict[str, Any]) -> str:
    """Means and standard deviations over seeds, of the means over splits, as Markdown."""
    parts = []
    for name, entry in result.items():
        figures = entry["figures"]
        tasks = [task for task in TASKS if any(task in seeds["0"] for seeds in figures.values())]
        lines = [f"| {name} | seeds | " + " | ".join(TASKS[task] for task in tasks) + " |"]
        lines.append("|---|---|" + "---:|" * len(tasks))
        for way in [way for way in NAMES if way in figures]:
            cells = [cell(figures[way], task) for task in tasks]
            lines.append(f"| {NAMES[way]} | {len(figures[way])} | " + " | ".join(cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


SUMMARY = ("decentralised", "asynchronous", "centralised", "untrained", "raw", "hops_1", "hops_2")


def summary_table(result: dict[str, Any]) -> str:
    """The linear probe alone, on all networks, as Markdown."""
    result = {name: entry for name, entry in result.items() if name != PROJECTED}
    lines = [f"| linear probe, % | {' | '.join(result)} |", "|---|" + "---:|" * len(result)]
    for way in SUMMARY:
        cells = [cell(entry["figures"].get(way, {}), "probe") for entry in result.values()]
        if any(cells):
            lines.append(f"| {NAMES[way]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def ablations_table(result: dict[str, Any]) -> str:
    """What becomes of the linear probe where one part of the recipe is another, as Markdown: paired by seed."""
    parts = []
    for name, entry in result.items():
        figures = entry["figures"]
        changed = [way for way in ABLATIONS if way in figures]
        if not changed:
            continue
        lines = [
            f"| {name}: the recipe with | seeds | linear probe, % | below the recipe, points |",
            "|---|---|---:|---:|",
        ]
        lines.append(
            f"| nothing changed | {len(figures['decentralised'])} | {cell(figures['decentralised'], 'probe')} | |"
        )
        lines += [f"| {ABLATIONS[way][0]} | {len(figures[way])} | {_lost(figures, way)} |" for way in changed]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _lost(figures: dict[str, Any], way: str) -> str:
    """The figure of a way, and by how much the recipe is above it with the same seeds."""
    recipe, changed = figures["decentralised"], figures[way]
    common = [seed for seed in changed if seed in recipe]
    lost = over_seeds([float(np.mean(recipe[seed]["probe"]) - np.mean(changed[seed]["probe"])) for seed in common])
    return f"{cell(changed, 'probe')} | {100 * lost['mean']:.1f} ± {100 * lost['sd']:.1f}"


def bytes_table(name: str, network: Network) -> str:
    """What each way makes nodes send until it has its embeddings, as Markdown."""
    recipe = recipe_of(network)
    costs = evaluation.communication(recipe.emulator, network, recipe.ticks, width=128)
    lines = [f"| {name}, bytes sent per node | mean | largest | sent by the server, per node | share of the mean |"]
    lines.append("|---|---:|---:|---:|---|")
    for way, known_as in COSTS.items():
        if known_as in costs:
            cost = costs[known_as]
            sums = map(filesize.decimal, (round(cost.mean), cost.largest, cost.by_server // network.num_nodes))
            lines.append(f"| {NAMES[way]} | {' | '.join(sums)} | {of_the_mean(cost)} |")
    return "\n".join(lines)


def of_the_mean(cost: evaluation.Cost) -> str:
    """Which share each kind of message has, where there are several."""
    means = {kind: float(sent.mean()) for kind, sent in cost.by_kind.items()}
    if len(means) < 2:
        return ""
    return ", ".join(f"{KINDS[kind]} {100 * mean / cost.mean:.1f} %" for kind, mean in means.items())


def cell(seeds: dict[str, Any], task: str) -> str:
    """One figure with its standard deviation over seeds."""
    means = [float(np.mean(values[task])) for values in seeds.values() if task in values]
    if not means:
        return ""
    figures = over_seeds(means)
    spread = f" ± {100 * figures['sd']:.1f}" if len(means) > 1 else ""
    return f"{100 * figures['mean']:.1f}{spread}"


def main() -> None:
    """Measures, or prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", help="directory with a folder for each data set")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--datasets",
        nargs="+",
        default=["cora"],
        choices=[*sorted(jdgnn.datasets.DATASETS), *TASKS_OF, *DRAWN, PROJECTED],
    )
    parser.add_argument("--ways", nargs="+", default=list(NAMES), choices=[*NAMES, *ABLATIONS, "ablations"])
    parser.add_argument("--tasks", nargs="+", default=["probe", "knn", "few", "nmi", "auc"], choices=list(TASKS))
    parser.add_argument("--anew", action="store_true", help="forget what was measured")
    parser.add_argument("--table", action="store_true", help="print the committed figures and measure nothing")
    parser.add_argument("--summary", action="store_true", help="print the linear probe of all networks side by side")
    parser.add_argument("--ablations", action="store_true", help="print what parts of the recipe are worth")
    parser.add_argument("--bytes", action="store_true", help="print what nodes send, and measure nothing")
    arguments = parser.parse_args()
    if "ablations" in arguments.ways:
        arguments.ways += ABLATIONS
    if arguments.table:
        print(shown(RESULT, table))
        return
    for option, show in (("summary", summary_table), ("ablations", ablations_table)):
        if getattr(arguments, option):
            print(shown(RESULT, show))
            return
    if not arguments.bytes:
        print(table(measure(arguments)))
    for name, network in networks(arguments):
        print(f"\n{bytes_table(name, network)}")


if __name__ == "__main__":
    main()
