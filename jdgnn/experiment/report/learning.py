"""The panel of what was learned: the probe over time beside its controls, and each layer's loss and rank."""

from typing import Any

from jdgnn.experiment import probed
from jdgnn.experiment.paired import spread
from jdgnn.experiment.report.curves import Trace, has_any, last, lines
from jdgnn.experiment.report.elements import Panel
from jdgnn.experiment.report.style import CONTROL, CONTROL_COLOURS, colour, dash, layout, logarithmic
from jdgnn.experiment.report.variants import Variant, each
from jdgnn.experiment.tables import METRICS as METRIC_NAMES
from jdgnn.experiment.tables import PROBED, short

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
    curves = [variant.probed for variant in variants]
    if not has_any(curves):
        panel.text("Nothing was probed: the network has no labels, or no snapshot was taken yet.", "note")
        return
    traces: list[Trace] = []
    for number, (variant, series) in enumerate(zip(variants, curves, strict=True)):
        traces += lines(series, _learned(variants, variant), colour(number), markers=True)
    controls = control_means(variants[0])
    name = _metric(variants[0])
    shown = layout("tick (logarithmic)", name, height=420)
    end = max(int(series.ticks[-1]) for series in curves if len(series.ticks))
    logarithmic(shown["xaxis"], 1, max(end, 2))
    is_alone, whose = len(variants) == 1, "" if len(variants) == 1 else f"{variants[0].name}: "
    traces += [
        _line(whose + CONTROLS[key], 100 * mean, end, number, CONTROL_COLOURS[number] if is_alone else CONTROL)
        for number, (key, mean) in enumerate(controls.items())
    ]
    panel.figure("probe", "Linear probe over time", traces, shown, _says(variants, controls))
    _probe_table(panel, variants)


def _learned(variants: list[Variant], variant: Variant) -> str:
    return "learned" if len(variants) == 1 else f"{variant.name}: learned"


def _line(name: str, value: float, end: int, number: int, shade: str) -> Trace:
    return {
        "type": "scatter",
        "x": [1, max(end, 2)],
        "y": [value, value],
        "mode": "lines",
        "name": name,
        "line": {"color": shade, "dash": dash(number + 1), "width": 1.5},
        "hovertemplate": "%{y:.4g}",
    }


def control_means(variant: Variant) -> dict[str, float]:
    """What takes no learning, by name: shares of 1, means over seeds and splits; none if the run goes on."""
    summaries = [run.summary for run in variant.runs if run.summary is not None]
    names = probed.names(summaries) if summaries else []
    return {name: float(probed.values(summaries, name).mean()) for name in names if name in CONTROLS}


def _metric(variant: Variant) -> str:
    summary = variant.first.summary
    metric = probed.metric(summary) if summary is not None else None
    return METRIC_NAMES[metric] if metric else "%"


def _says(variants: list[Variant], controls: dict[str, float]) -> str:
    found = [f"{_learned(variants, variant)} {short(last(variant.probed))} %" for variant in variants]
    if not controls:
        return f"{', '.join(found)} so far; controls are judged once a run is finished."
    best = max(controls, key=lambda key: controls[key])
    whose = "best control" if len(variants) == 1 else f"best control of {variants[0].name}"
    return f"{', '.join(found)}; {whose}: {CONTROLS[best]}, {100 * controls[best]:.1f} %. {_band(variants[0])}"


def _band(variant: Variant) -> str:
    if len(variant.runs) > 1:
        return f"The band is one standard deviation over {len(variant.runs)} seeds."
    is_spread = any(one.probe is not None and len(one.probe) > 1 for one in variant.first.snapshots)
    return "The band is one standard deviation over splits." if is_spread else "There is one split."


def _probe_table(panel: Panel, variants: list[Variant]) -> None:
    summaries = {
        variant.name: [run.summary for run in variant.runs if run.summary is not None and run.summary["probe"]]
        for variant in variants
    }
    finished = {name: found for name, found in summaries.items() if found}
    if not finished:
        return
    rows = [
        [label, *(_figure(found, key) for found in finished.values())]
        for key, label in PROBED.items()
        if any(key in probed.names(found) for found in finished.values())
    ]
    head = ["linear probe, %", *(finished if len(variants) > 1 else ["mean ± sd"])]
    panel.table(head, rows, caption="The last embeddings beside what takes no learning", kind="figures")


def _figure(summaries: list[dict[str, Any]], name: str) -> str:
    if name not in probed.names(summaries):
        return "-"
    found = spread(probed.values(summaries, name))
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
    ends = [
        ", ".join(short(last(variant.losses(layer))) for layer in range(variant.num_layers)) for variant in variants
    ]
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
