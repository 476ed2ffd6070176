"""Draws the README's picture: `python docs/picture.py` writes `docs/picture.png`.

Left and middle: the digits network's embeddings before and after learning, in two dimensions. Right: the linear probe
over time, with baselines as lines.
"""

from pathlib import Path
from typing import Any

import jax
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from sklearn.manifold import TSNE

import jdgnn
from jdgnn.experiment.config.networks import make_network
from jdgnn.experiment.config.schema import read
from jdgnn.experiment.run.experiment import make_emulator

DOCS = Path(__file__).resolve().parent
LINES = {
    "untrained": ("untrained encoder", "#7f7f7f", ":"),
    "propagated_2hop": ("2-hop propagation", "#0072b2", "--"),
    "raw": ("raw features", "#d55e00", "-."),
}


def main() -> None:
    """Runs the quickstart, evaluating as it goes, and draws."""
    config = read(DOCS.parent / "configs" / "quickstart.toml", [])
    network = make_network(config.network, data_root=None, seed=config.seed)
    emulator = make_emulator(config)
    state = emulator.init(jax.random.key(config.seed), network)
    untrained = emulator.encode(state.params, network)
    others = jdgnn.evaluation.baselines(network, width=untrained.shape[1], seed=config.seed + 1)
    baselines = jdgnn.evaluation.probe_table({"untrained": untrained, **others}, network)
    ticks, learned = [0], [baselines["untrained"]]
    while ticks[-1] < config.emulation.ticks:
        state, _ = jdgnn.run(emulator, state, network, 5)
        ticks.append(int(state.tick))
        learned.append(jdgnn.evaluation.linear_probe(emulator.embeddings(state), network))

    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure, (before, after, curve) = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
    draw_map(before, untrained, network, "untrained: all nodes start alike")
    points = draw_map(after, emulator.embeddings(state), network, f"after {ticks[-1]} ticks, no server, no labels")
    bar = figure.colorbar(points, ax=[before, after], ticks=range(10), aspect=30, pad=0.01)
    bar.set_label("digit (never seen in training)")
    draw_curve(curve, ticks, learned, baselines)
    figure.savefig(DOCS / "picture.png", dpi=160)


def draw_map(axes: Any, embeddings: np.ndarray, network: jdgnn.Network, title: str) -> Any:
    """Draws one embedding in two dimensions, coloured by class."""
    place = TSNE(random_state=0, init="pca").fit_transform(embeddings)
    colours = mpl.colormaps["tab10"].resampled(10)
    points = axes.scatter(*place.T, c=network.labels, cmap=colours, vmin=-0.5, vmax=9.5, s=3, linewidths=0)
    axes.set(title=title, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return points


def draw_curve(axes: Any, ticks: list[int], learned: list[Any], baselines: dict[str, Any]) -> None:
    """Draws the probe over time, mean and sd over the splits, against the controls."""
    mean = 100 * np.array([result.mean for result in learned])
    sd = 100 * np.array([result.sd for result in learned])
    axes.fill_between(ticks, mean - sd, mean + sd, color="#009e73", alpha=0.2, linewidth=0)
    axes.plot(ticks, mean, color="#009e73", label="learned")
    for name, (label, colour, style) in LINES.items():
        axes.axhline(100 * baselines[name].mean, color=colour, linestyle=style, label=label)
    axes.set(title="linear probe, 2 labels per class", xlabel="tick", ylabel="accuracy, %")
    axes.set_ylim(bottom=66)
    axes.legend(frameon=False, loc="lower right")


if __name__ == "__main__":
    main()
