"""The panel of the network: its picture, and the numbers of neighbours."""

import itertools

import numpy as np

from jdgnn.experiment.report.curves import bars
from jdgnn.experiment.report.page import Panel
from jdgnn.experiment.report.style import colour, layout
from jdgnn.experiment.report.variants import Variant
from jdgnn.experiment.results.tables import as_read

NUM_BINS = 20


def network_panel(variants: list[Variant]) -> Panel:
    """Nodes and links of the first variant."""
    panel = Panel("network", "Network")
    network = variants[0].first.network
    degree, sizes = network["in_degree"].astype(np.int64), network["component_sizes"]
    drawn, links = len(network["drawn"]), len(network["sources"])
    whose = "The network" if len(variants) == 1 else f"The network of {variants[0].name}"
    whole = "all of it" if drawn == len(degree) else f"{drawn:,} nodes around the best-connected one"
    with panel.grid():
        says = f"{whose}, {whole}: {drawn:,} nodes and {links:,} links, in the colours of the map."
        panel.add("picture", says=says)
        _degrees(panel, degree, network["out_degree"].astype(np.int64))
    facts = {
        "nodes": f"{len(degree):,}",
        "directed edges": f"{int(degree.sum()):,}",
        "in-neighbours of a node": f"{degree.mean():.1f} on average, at most {int(degree.max(initial=0)):,}",
        "nodes without in-neighbours": f"{int((degree == 0).sum()):,}",
        "components": f"{len(sizes):,}, the largest of {int(sizes[0]):,} nodes" if len(sizes) else "0",
    }
    panel.table(["", "network"], [[name, text] for name, text in facts.items()], kind="numbers")
    read = [note.partition(": ") for note in as_read(variants[0].first.summary or {})]
    if read:
        rows = [[name, text] if text else ["", name] for name, _, text in read]
        panel.table(["property", "as read"], rows, caption="How the files were read", kind="keys")
    return panel


def _degrees(panel: Panel, in_degree: np.ndarray, out_degree: np.ndarray) -> None:
    """A histogram, in bins that widen where there are hubs."""
    most = max(int(in_degree.max(initial=1)), int(out_degree.max(initial=1)))
    edges = np.arange(min(most, NUM_BINS) + 2)
    if most > NUM_BINS:
        edges = np.unique([0, *np.round(np.geomspace(1, most + 1, NUM_BINS)).astype(int)])
    labels = [str(low) if high == low + 1 else f"{low}–{high - 1}" for low, high in itertools.pairwise(edges.tolist())]
    is_equal = np.array_equal(in_degree, out_degree)
    shown = {"neighbours": in_degree} if is_equal else {"in-neighbours": in_degree, "out-neighbours": out_degree}
    traces = [
        bars(name, labels, np.histogram(degrees, edges)[0].tolist(), colour(index), "%{y:,} nodes")
        for index, (name, degrees) in enumerate(shown.items())
    ]
    shape = layout("neighbours", "nodes", xaxis={"type": "category"}, hovermode="closest", bargap=0.05)
    says = f"Nodes by their number of neighbours; {int((in_degree == 0).sum()):,} have no in-neighbour."
    panel.figure("degrees", "Neighbours of a node", traces, shape, says)
