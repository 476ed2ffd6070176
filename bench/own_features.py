"""The default recipe on generated networks of 60 to 90 features, where what a node knows of itself tells its class.

`python -m bench.own_features` draws each network anew with every seed, runs the default recipe and judges it beside its
baselines, all on the same splits. It writes `bench/results/own_features.json` after each run and goes on where it was
left off; `--table` prints what was measured as Markdown.

- *hosts*: 90 features tell the class, and links do not: a node's neighbours are of any class.
- *mesh*: both do. Half of the class is told by 60 features of the node, the other half by those of its neighbours.
- *roles*: the number of neighbours does, from 2 to 32 by class, and 70 features are noise.
"""

import argparse
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import jdgnn
from bench.machine import RESULTS, circumstances, over_seeds, shown
from bench.ways import EMBEDS, NAMES, STEPS, Embedded
from jdgnn import Network, evaluation
from jdgnn.network import from_edges, random_splits

RESULT = RESULTS / "own_features.json"
NUM_NODES = 900
WAYS = ("decentralised", "untrained", "raw", "hops_1", "hops_2", "hops_3", "projected_2")
ALONE = ("decentralised, without own features", "untrained, without own features")


def hosts(seed: int, num_nodes: int = NUM_NODES) -> Network:
    """Features tell one of six classes, links none."""
    return _split(
        jdgnn.generators.stochastic_block_model(
            num_nodes, 6, 90, mean_degree=8, homophily=1 / 6, separation=3.5, seed=seed
        )
    )


def mesh(seed: int, num_nodes: int = NUM_NODES) -> Network:
    """Three areas, told by links and neighbours, and two kinds of node in each, told by features."""
    areas = jdgnn.generators.stochastic_block_model(
        num_nodes, 3, 60, mean_degree=8, homophily=0.85, separation=2.0, seed=seed
    )
    assert areas.labels is not None
    rng = np.random.default_rng(seed)
    kinds, centres = rng.integers(0, 2, num_nodes), rng.standard_normal((2, 60)) * 4 / np.sqrt(60)
    features = (areas.features + centres[kinds]).astype(np.float32)
    return _split(dataclasses.replace(areas, features=features, labels=(2 * areas.labels + kinds).astype(np.int32)))


def roles(seed: int, num_nodes: int = NUM_NODES) -> Network:
    """Links at random with 2, 4, 8, 16 or 32 neighbours by class."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(num_nodes) % 5)
    degree = 2.0 * 2.0**labels
    ends = rng.choice(num_nodes, (2, int(degree.sum() / 2)), p=degree / degree.sum())
    features = rng.standard_normal((num_nodes, 70)).astype(np.float32)
    return _split(from_edges(ends[0], ends[1], features, labels=labels, undirected=True, name="roles"))


def _split(network: Network) -> Network:
    assert network.labels is not None
    splits = random_splits(network.labels, 5, per_class=20, validation=150)
    return dataclasses.replace(network, splits=splits)


NETWORKS: dict[str, Callable[[int], Network]] = {"hosts": hosts, "mesh": mesh, "roles": roles}


def judged(network: Network, seed: int) -> dict[str, float]:
    """The mean over splits of each way, shares of 1."""
    found = {}
    for way, alone in zip(WAYS, (*ALONE, *[""] * len(WAYS)), strict=False):
        embedded: Embedded = EMBEDS[way](network, seed)
        found[way] = evaluation.linear_probe(embedded.vectors, network, own_features=embedded.own_features).mean
        if alone:
            found[alone] = evaluation.linear_probe(embedded.vectors, network).mean
    found["degree"] = evaluation.linear_probe(np.log1p(network.in_degree)[:, None], network).mean
    return found


def distances(network: Network, seed: int) -> dict[str, float]:
    """How far models lie from their mean, root mean square relative to its norm: before and after merging alone."""
    recipe = jdgnn.recipe(network.num_features)
    state = recipe.emulator.init(jax.random.key(seed), network)
    _, history = jdgnn.run(recipe.emulator, state, network, recipe.ticks, record_every=STEPS)
    before, after = np.sqrt(history.consensus_distance)
    return {"before": float(before), "after": float(after)}


def measure(num_seeds: int, *, anew: bool) -> dict[str, Any]:
    """Fills in what is missing, and writes after each run."""
    result: dict[str, Any] = json.loads(RESULT.read_text()) if RESULT.exists() and not anew else {}
    for name, draw in NETWORKS.items():
        seeds = result.setdefault(name, {"seeds": {}})["seeds"]
        apart = result[name].setdefault("distances", {})
        for seed in range(num_seeds):
            if str(seed) not in apart:
                apart[str(seed)] = distances(draw(seed), seed)
                result[name] |= circumstances()
                RESULT.write_text(json.dumps(result, indent=1) + "\n")
            if str(seed) not in seeds:
                seeds[str(seed)] = judged(draw(seed), seed)
                result[name] |= circumstances()
                RESULT.write_text(json.dumps(result, indent=1) + "\n")
                print(
                    f"{name}, seed {seed}: {_below(seeds[str(seed)]):+.1f} points beside the best baseline", flush=True
                )
    return result


def _below(values: dict[str, float]) -> float:
    """The recipe less its best baseline, in points; what leaves own features out is no baseline."""
    others = [value for way, value in values.items() if way not in ("decentralised", *ALONE)]
    return 100 * (values["decentralised"] - max(others))


def table(result: dict[str, Any]) -> str:
    """Means and standard deviations over seeds as Markdown."""
    ways = [way for way in next(iter(next(iter(result.values()))["seeds"].values()))]
    lines = [f"| linear probe, % | {' | '.join(result)} |", "|---|" + "---:|" * len(result)]
    for way in ways:
        cells = [_cell([100 * seed[way] for seed in entry["seeds"].values()]) for entry in result.values()]
        lines.append(f"| {NAMES.get(way, way)} | {' | '.join(cells)} |")
    cells = [_cell([_below(seed) for seed in entry["seeds"].values()]) for entry in result.values()]
    lines.append(f"| recipe minus best baseline (per seed), points | {' | '.join(cells)} |")
    for when, text in {"before": "at the end of training", "after": "at the end of the run"}.items():
        cells = [_cell([100 * seed[when] for seed in entry["distances"].values()]) for entry in result.values()]
        lines.append(f"| distance of a model from the mean model {text}, % of its norm | {' | '.join(cells)} |")
    counts = {len(entry["seeds"]) for entry in result.values()}
    return "\n".join([*lines, "", f"{' or '.join(map(str, sorted(counts)))} seeds, five splits each."])


def _cell(values: list[float]) -> str:
    figures = over_seeds(values)
    return f"{figures['mean']:.1f} ± {figures['sd']:.1f}"


def main() -> None:
    """Measures, or prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--anew", action="store_true", help="forget what was measured")
    parser.add_argument("--table", action="store_true", help="print the committed figures and measure nothing")
    arguments = parser.parse_args()
    print(shown(RESULT, table) if arguments.table else table(measure(arguments.seeds, anew=arguments.anew)))


if __name__ == "__main__":
    main()
