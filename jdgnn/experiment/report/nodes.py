"""The panel of how nodes differ: models, ages, wakes, staleness and traffic as distributions over time."""

from typing import Any, NamedTuple

import numpy as np
from rich import filesize

from jdgnn.experiment.report.curves import Trace, has_any, lines
from jdgnn.experiment.report.panel import Panel
from jdgnn.experiment.report.style import colour, dash, layout, logarithmic
from jdgnn.experiment.report.variants import Series, Variant, each
from jdgnn.experiment.results.tables import short


class Figure(NamedTuple):
    """A figure of every node, of which quantiles over nodes are recorded."""

    name: str
    title: str
    unit: str
    says: str
    is_logarithmic: bool = False

    def short(self, value: float | None) -> str:
        """A value in a sentence."""
        return filesize.decimal(round(value)) if self.unit == "bytes" and value is not None else short(value)


FIGURES = (
    Figure(
        "distance",
        "Distance from the mean model",
        "distance",
        "How far nodes' models are from their mean, ‖θᵥ − θ̄‖² / ‖θ̄‖²; the mean over nodes is the consensus distance.",
        True,
    ),
    Figure("staleness", "Staleness", "ticks", "How long ago what a node used of its neighbours had been sent."),
    Figure("age", "Age of models", "updates", "Local updates along a model's longest line of descent."),
    Figure("wakes", "Wakes", "wakes", "How often nodes have woken."),
    Figure("norm_ratio", "Norm ratio", "ratio", "The norm of nodes' models over what it was on average at the start."),
    Figure("bytes_sent", "Traffic of a node, sent", "bytes", "Payload that a node sent since the start."),
    Figure(
        "bytes_delivered",
        "Traffic of a node, delivered",
        "bytes",
        "Payload that was delivered to a node since the start: hubs get more.",
    ),
)


def nodes_panel(variants: list[Variant]) -> Panel:
    """How nodes differ from each other, over time."""
    panel = Panel("nodes", "Nodes over time")
    if not any(variant.first.rows for variant in variants):
        panel.text("No tick was recorded yet.", "note")
        return panel
    panel.text("Lines are medians over nodes, bands reach from 5 to 95 % of them.")
    with panel.grid():
        for figure in FIGURES:
            _spread(panel, variants, figure)
        _consensus(panel, variants)
        _presence(panel, variants)
    return panel


def _spread(panel: Panel, variants: list[Variant], figure: Figure) -> None:
    found = [variant.spread(figure.name) for variant in variants]
    if not has_any(found):
        return
    traces: list[Trace] = []
    for number, (variant, series) in enumerate(zip(variants, found, strict=True)):
        name = "median" if len(variants) == 1 else variant.name
        traces += lines(series, name, colour(number), dash=dash(number))
    shown = layout(y_title=figure.unit)
    if figure.is_logarithmic:
        _make_logarithmic(shown, found)
    if figure.unit == "bytes":
        shown["yaxis"] |= {"tickformat": ".3s", "rangemode": "tozero"}
    ends = each(variants, [figure.short(series.last) for series in found])
    panel.figure(figure.name, figure.title, traces, shown, f"{figure.says} Median at the end: {ends}.")


def _consensus(panel: Panel, variants: list[Variant]) -> None:
    """The consensus distance of each layer by itself."""
    traces: list[Trace] = []
    for number, variant in enumerate(variants):
        whole = variant.series(lambda row: row["consensus_distance"])
        name = "all layers" if len(variants) == 1 else variant.name
        traces += lines(whole, name, colour(number))
        for layer in range(variant.num_layers if len(variants) == 1 else 0):
            series = variant.series(
                lambda row, layer=layer: row["disagreement"][layer] if row["disagreement"] else None  # type: ignore[misc]
            )
            traces += lines(series, f"layer {layer + 1}", colour(layer + 1), dash=dash(layer + 1))
    wholes = [variant.series(lambda row: row["consensus_distance"]) for variant in variants]
    shown = layout(y_title="distance")
    _make_logarithmic(shown, wholes)
    ends = each(variants, [short(whole.last) for whole in wholes])
    says = f"The mean over nodes, of whole models and of layers. At the end: {ends}."
    panel.figure("consensus", "Consensus distance", traces, shown, says)


def _make_logarithmic(shown: dict[str, Any], found: list[Series]) -> None:
    """The axis of values, if there are any that are positive."""
    values = np.concatenate(
        [edge for series in found for edge in (series.low, series.middle, series.high) if edge is not None]
    )
    positive = values[values > 0]
    if len(positive):
        logarithmic(shown["yaxis"], float(positive.min()), float(positive.max()))


def _presence(panel: Panel, variants: list[Variant]) -> None:
    traces: list[Trace] = []
    for number, variant in enumerate(variants):
        for index, name in enumerate(("online", "active")):
            series = variant.series(lambda row, name=name: None if row[name] is None else 100 * row[name])  # type: ignore[misc]
            label = name if len(variants) == 1 else f"{variant.name}, {name}"
            traces += lines(series, label, colour(index if len(variants) == 1 else number), dash=dash(index))
    shown = layout(y_title="% of joined nodes")
    shown["yaxis"]["range"] = [0, 104]
    panel.figure(
        "presence", "Who is there", traces, shown, "Shares of joined nodes that were online, and that were active."
    )
