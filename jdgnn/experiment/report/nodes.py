"""The panel of nodes: the distribution of models, ages, wakes, staleness and traffic over time."""

from typing import Any, NamedTuple

import numpy as np
from rich import filesize

from jdgnn.experiment.report.curves import Trace, has_any, lines, lines_of_each
from jdgnn.experiment.report.page import Panel
from jdgnn.experiment.report.style import colour, dash, layout, logarithmic
from jdgnn.experiment.report.variants import Series, Variant, each
from jdgnn.experiment.results.tables import short


class Statistic(NamedTuple):
    """A statistic of every node, of which quantiles over nodes are recorded."""

    name: str
    title: str
    unit: str
    says: str

    def short(self, value: float | None) -> str:
        """A value in a sentence."""
        return filesize.decimal(round(value)) if self.unit == "bytes" and value is not None else short(value)


DISTANCE = "Distance of a node's model from the mean model, ‖θᵥ − θ̄‖² / ‖θ̄‖²; its mean is the consensus distance."
STATISTICS = (
    Statistic("distance", "Distance from the mean model", "distance", DISTANCE),
    Statistic("staleness", "Staleness", "ticks", "Age of the neighbour embeddings a node used."),
    Statistic("age", "Age of models", "updates", "Local updates along a model's longest line of descent."),
    Statistic("wakes", "Wakes", "wakes", "Wake-ups of a node since the start."),
    Statistic("norm_ratio", "Norm ratio", "ratio", "Norm of a node's model, relative to the mean initial norm."),
    Statistic("bytes_sent", "Traffic of a node, sent", "bytes", "Payload sent by a node since the start."),
    Statistic(
        "bytes_delivered", "Traffic of a node, delivered", "bytes", "Payload delivered to a node; hubs receive more."
    ),
)


def nodes_panel(variants: list[Variant]) -> Panel:
    """Differences between nodes over time."""
    panel = Panel("nodes", "Nodes over time")
    if not any(variant.first.rows for variant in variants):
        panel.text("No tick was recorded yet.", "note")
        return panel
    panel.text("Lines: medians over nodes. Bands: 5 to 95 % of nodes.")
    with panel.grid():
        for statistic in STATISTICS:
            _spread(panel, variants, statistic)
        _consensus(panel, variants)
        _presence(panel, variants)
    return panel


def _spread(panel: Panel, variants: list[Variant], statistic: Statistic) -> None:
    found = [variant.spread(statistic.name) for variant in variants]
    if not has_any(found):
        return
    names = ["median"] if len(variants) == 1 else [variant.name for variant in variants]
    axis = {"distance": _logarithmic(found), "bytes": {"tickformat": ".3s", "rangemode": "tozero"}}.get(statistic.unit)
    says = f"{statistic.says} Median at the end: {each(variants, [statistic.short(series.last) for series in found])}."
    shown = layout(y_title=statistic.unit, yaxis=axis)
    panel.figure(statistic.name, statistic.title, _numbered(names, found), shown, says)


def _consensus(panel: Panel, variants: list[Variant]) -> None:
    """The consensus distance, of one variant also layer by layer."""
    wholes = [variant.series("consensus_distance") for variant in variants]
    names, found = [variant.name for variant in variants], wholes
    if len(variants) == 1:
        layers = range(variants[0].num_layers)
        names = ["all layers", *(f"layer {layer + 1}" for layer in layers)]
        found = [*wholes, *(variants[0].series("disagreement", layer) for layer in layers)]
    ends = each(variants, [short(whole.last) for whole in wholes])
    says = f"Mean over nodes, of whole models and of each layer. At the end: {ends}."
    shown = layout(y_title="distance", yaxis=_logarithmic(wholes))
    panel.figure("consensus", "Consensus distance", _numbered(names, found), shown, says)


def _numbered(names: list[str], found: list[Series]) -> list[Trace]:
    """A line of its own colour and dash for each series."""
    return [
        trace
        for number, (name, series) in enumerate(zip(names, found, strict=True))
        for trace in lines(series, name, colour(number), dash=dash(number))
    ]


def _logarithmic(found: list[Series]) -> dict[str, Any] | None:
    """An axis for the values, if any is positive."""
    edges = [edge for series in found for edge in (series.low, series.middle, series.high) if edge is not None]
    positive = (values := np.concatenate(edges))[values > 0]
    return logarithmic(float(positive.min()), float(positive.max())) if len(positive) else None


def _presence(panel: Panel, variants: list[Variant]) -> None:
    found = [{name: variant.series(name, scale=100) for name in ("online", "active")} for variant in variants]
    ends = each(variants, [", ".join(f"{short(one.last)} % {name}" for name, one in of.items()) for of in found])
    shown = layout(y_title="% of joined nodes", yaxis={"range": [0, 104]})
    says = f"Shares of joined nodes that were online and active. At the end: {ends}."
    panel.figure("presence", "Presence", lines_of_each(variants, found), shown, says)
