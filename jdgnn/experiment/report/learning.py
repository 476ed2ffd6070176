"""The panel of what was learned: the probe over time beside its controls, and each layer's loss and rank."""

import numpy as np
from numpy.typing import NDArray

from jdgnn.experiment.report.curves import Trace, has_any, lines
from jdgnn.experiment.report.elements import Panel
from jdgnn.experiment.report.style import CONTROL_COLOURS, colour, dash, layout, logarithmic
from jdgnn.experiment.report.variants import Variant, each
from jdgnn.experiment.results import probed
from jdgnn.experiment.results.statistics import spread
from jdgnn.experiment.results.tables import AT_EDGE, PROBED, is_at_edge, short
from jdgnn.experiment.results.tables import METRICS as METRIC_NAMES

CONTROLS = {name: label for name, label in PROBED.items() if name != "learned"}


def learning_panel(variants: list[Variant]) -> Panel:
    """What the embeddings are worth, and how that came."""
    panel = Panel("learning", "Learning")
    _probe(panel, variants)
    panel.parts.append('<div class="grid">')
    _losses(panel, variants)
    _ranks(panel, variants)
    panel.parts.append("</div>")
    return panel


def _probe(panel: Panel, variants: list[Variant]) -> None:
    if not has_any([variant.probed for variant in variants]):
        has_labels = any("labels" in variant.first.network for variant in variants)
        why = "no snapshot was taken yet" if has_labels else "the network has no labels"
        panel.text(f"Nothing was probed: {why}.", "note")
        return
    groups = _by_metric(variants)
    for number, (metric, together) in enumerate(groups.items()):
        _probe_figure(panel, variants, together, metric, "probe" if not number else f"probe-{number + 1}")
    _probe_table(panel, variants, is_mixed=len(groups) > 1)


def _by_metric(variants: list[Variant]) -> dict[str, list[Variant]]:
    """Those that share an axis; what goes on yet does not say what it measures, and stands with the first."""
    known = [name for variant in variants if (name := _metric(variant))]
    groups: dict[str, list[Variant]] = {}
    for variant in variants:
        if len(variant.probed.ticks):
            groups.setdefault(_metric(variant) or (known[0] if known else "%"), []).append(variant)
    return groups


def _probe_figure(panel: Panel, variants: list[Variant], together: list[Variant], metric: str, name: str) -> None:
    traces: list[Trace] = []
    for variant in together:
        traces += lines(variant.probed, _learned(variants, variant), colour(variants.index(variant)), markers=True)
    shown = layout("tick (logarithmic)", metric, height=420)
    end = max(int(variant.probed.ticks[-1]) for variant in together)
    logarithmic(shown["xaxis"], 1, max(end, 2))
    traces += _lines_of_one(variants[0], end) if len(variants) == 1 else _best_lines(variants, together, end)
    title = "Linear probe over time" + (f": {metric}" if len(together) < len(variants) else "")
    panel.figure(name, title, traces, shown, _says(variants, together))


def _lines_of_one(variant: Variant, end: int) -> list[Trace]:
    """All of its controls."""
    means = control_means(variant, variant.num_splits)
    return [
        _line(CONTROLS[key], 100 * mean, end, number + 1, CONTROL_COLOURS[number])
        for number, (key, mean) in enumerate(means.items())
    ]


def _best_lines(variants: list[Variant], together: list[Variant], end: int) -> list[Trace]:
    """Of each its best control, in its colour: what one learned is not to be held against the controls of another."""
    found = []
    for variant in together:
        means = control_means(variant, variant.num_splits)
        if best := best_control(variant):
            name = f"{variant.name}: best control, {CONTROLS[best]}"
            found.append(_line(name, 100 * means[best], end, 1, colour(variants.index(variant))))
    return found


def _learned(variants: list[Variant], variant: Variant) -> str:
    return "learned" if len(variants) == 1 else f"{variant.name}: learned"


def _line(name: str, value: float, end: int, number: int, shade: str) -> Trace:
    return {
        "type": "scatter",
        "x": [1, max(end, 2)],
        "y": [value, value],
        "mode": "lines",
        "name": name,
        "line": {"color": shade, "dash": dash(number), "width": 1.5},
        "hovertemplate": "%{y:.4g}",
    }


def control_means(variant: Variant, num_splits: int | None = None) -> dict[str, float]:
    """What takes no learning, by name: shares of 1, means over seeds and first splits; none if the run goes on."""
    return {name: float(found[:, :num_splits].mean()) for name, found in variant.figures.items() if name in CONTROLS}


def _metric(variant: Variant) -> str:
    summary = variant.first.summary
    metric = probed.metric(summary) if summary is not None else None
    return METRIC_NAMES[metric] if metric else ""


def _says(variants: list[Variant], together: list[Variant]) -> str:
    found = ", ".join(f"{_learned(variants, variant)} {short(variant.learned)} %" for variant in together)
    bests = [_best(variant) for variant in together]
    if not any(bests):
        splits = ", ".join(sorted({f"{variant.num_splits}" for variant in together}))
        return f"{found} so far, on the first {splits} splits; controls are judged once a run is finished."
    if len(variants) == 1:
        best = f"best control: {bests[0]}"
    else:
        best = "best controls: " + ", ".join(
            f"{variant.name} {text}" for variant, text in zip(together, bests, strict=True) if text
        )
    first = together[0]
    return f"{found}; {best}. {_splits(first)} {_band(first)}"


def _best(variant: Variant) -> str:
    """The best of its controls in words; nothing while it goes on."""
    best = best_control(variant)
    return f"{CONTROLS[best]}, {100 * control_means(variant)[best]:.1f} %" if best else ""


def best_control(variant: Variant) -> str:
    """The best on all splits; empty while the run goes on."""
    means = control_means(variant)
    return max(means, key=lambda key: means[key], default="")


def _splits(variant: Variant) -> str:
    count = variant.figures["learned"].shape[1]
    if variant.num_splits >= count:
        return ""
    return f"These figures are of all {count} splits; lines are of the first {variant.num_splits}, for all alike."


def _band(variant: Variant) -> str:
    if len(variant.runs) > 1:
        return f"The band is one standard deviation over {len(variant.runs)} seeds."
    return "The band is one standard deviation over splits." if variant.num_splits > 1 else "There is one split."


def _probe_table(panel: Panel, variants: list[Variant], *, is_mixed: bool) -> None:
    finished = {
        f"{variant.name}, {_metric(variant)}" if is_mixed else variant.name: variant.figures
        for variant in variants
        if variant.figures
    }
    if not finished:
        return
    rows = [
        [label, *(_figure(found.get(key)) for found in finished.values())]
        for key, label in PROBED.items()
        if any(key in found for found in finished.values())
    ]
    at_edge = [label for key, label in PROBED.items() if any(_is_at_edge(variant, key) for variant in variants)]
    if at_edge:
        panel.text(f"{', '.join(at_edge).capitalize()}: {AT_EDGE}.", "note")
    head = ["linear probe, %", *(finished if len(variants) > 1 else ["mean ± sd"])]
    panel.table(head, rows, caption="The last embeddings beside what takes no learning", kind="figures")


def _is_at_edge(variant: Variant, name: str) -> bool:
    tables = [table for run in variant.runs if run.summary for table in run.summary["probe"].values()]
    return any(is_at_edge(table.get(name, {})) for table in tables)


def _figure(values: NDArray[np.float64] | None) -> str:
    if values is None:
        return "-"
    found = spread(values)
    return f"{100 * found.mean:.1f}" + (f" ± {100 * found.sd:.1f}" if found.sd is not None else "")


def _losses(panel: Panel, variants: list[Variant]) -> None:
    traces: list[Trace] = []
    for number, variant in enumerate(variants):
        for layer in range(variant.num_layers):
            name = f"layer {layer + 1}" if len(variants) == 1 else f"{variant.name}, layer {layer + 1}"
            shade = colour(layer if len(variants) == 1 else number)
            traces += lines(variant.losses(layer), name, shade, dash=dash(layer))
    if not traces:
        panel.text("No tick was recorded yet.", "note")
        return
    ends = [", ".join(short(variant.losses(layer).last) for layer in range(variant.num_layers)) for variant in variants]
    panel.figure(
        "loss",
        "Loss of each layer",
        traces,
        layout(y_title="loss"),
        f"Mean over nodes; band: 5 to 95 % of nodes. At the end, by layer: {each(variants, ends)}.",
    )


def _ranks(panel: Panel, variants: list[Variant]) -> None:
    traces: list[Trace] = []
    for number, variant in enumerate(variants):
        for layer in range(variant.num_layers):
            series = variant.series(lambda row, layer=layer: row["effective_rank"][layer])  # type: ignore[misc]
            name = f"layer {layer + 1}" if len(variants) == 1 else f"{variant.name}, layer {layer + 1}"
            shade = colour(layer if len(variants) == 1 else number)
            traces += lines(series, name, shade, dash=dash(layer))
    if traces:
        panel.figure(
            "rank",
            "Effective rank of embeddings",
            traces,
            layout(y_title="directions"),
            "In how many directions the embeddings of each layer lie; near 1 they have collapsed.",
        )
