"""The panel of messages: what became of every one that was sent, and the bytes."""

from typing import Any

import numpy as np
from rich import filesize

from jdgnn.experiment.report.curves import Trace, lines
from jdgnn.experiment.report.panel import Panel
from jdgnn.experiment.report.style import colour, dash, layout
from jdgnn.experiment.report.variants import Series, Variant, each
from jdgnn.experiment.results.tables import ENDS, percent
from jdgnn.experiment.results.tables import KINDS as KIND_NAMES

END_COLOURS = {
    "delivered": "#009e73",
    "dropped": "#d55e00",
    "to_offline": "#e69f00",
    "superseded": "#56b4e9",
    "evicted": "#cc79a7",
    "rejected": "#222222",
    "in_flight": "#999999",
}
PATTERNS = {"dropped": "/", "to_offline": "\\", "superseded": "x", "evicted": "-", "rejected": "+", "in_flight": "."}


def messages_panel(variants: list[Variant]) -> Panel:
    """What was sent, and what became of it."""
    panel = Panel("messages", "Messages")
    if not any(variant.first.rows for variant in variants):
        panel.text("No tick was recorded yet.", "note")
        return panel
    _ends(panel, variants)
    for variant in variants:
        if variant.first.rows:
            _accounts(panel, variant, len(variants))
    with panel.grid():
        if len(variants) == 1:
            _over_time(panel, variants[0])
        _bytes(panel, variants)
    return panel


def counts(variant: Variant) -> dict[str, dict[str, int]]:
    """Messages by kind and end at the last recorded tick of the first seed, what was sent among them."""
    if not variant.first.rows:
        return {kind: dict.fromkeys(("sent", *ENDS), 0) for kind in KIND_NAMES}
    row = variant.first.rows[-1]
    return {kind: {end: row[f"messages_{end}"][kind] for end in ("sent", *ENDS)} for kind in KIND_NAMES}


def _ends(panel: Panel, variants: list[Variant]) -> None:
    """A bar for each kind of each variant."""
    bars = [
        (name if len(variants) == 1 else f"{variant.name}: {name}", found[kind])
        for kind, name in KIND_NAMES.items()
        for variant, found in ((variant, counts(variant)) for variant in variants)
        if found[kind]["sent"]
    ]
    labels = [label for label, _ in bars]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": labels,
            "x": [100 * found[end] / found["sent"] for _, found in bars],
            "customdata": [found[end] for _, found in bars],
            "marker": {
                "color": END_COLOURS[end],
                "pattern": {"shape": PATTERNS.get(end, ""), "size": 6, "solidity": 0.25, "fillmode": "overlay"},
            },
            "hovertemplate": "%{customdata:,} (%{x:.2f} %)",
        }
        for end, name in ENDS.items()
        if any(found[end] for _, found in bars)
    ]
    shown = layout("% of those sent", barmode="stack", hovermode="closest")
    shown["yaxis"] |= {"autorange": "reversed"}
    shown["xaxis"]["range"] = [0, 100]
    shown["height"] = 130 + 36 * len(bars)
    sent = sum(found["sent"] for _, found in bars)
    panel.figure(
        "ends",
        "What became of messages",
        traces,
        shown,
        f"{sent:,} messages were sent; each has come to one end, or is in flight.",
    )


def _accounts(panel: Panel, variant: Variant, num_variants: int) -> None:
    """Exact counts; the sums are shown to be right."""
    found = counts(variant)
    rows = [[name, *(f"{found[kind][end]:,}" for kind in KIND_NAMES)] for end, name in {"sent": "sent", **ENDS}.items()]
    rest = [found[kind]["sent"] - sum(found[kind][end] for end in ENDS) for kind in KIND_NAMES]
    rows.append(["sent − all of these", *(f"{left:,}" for left in rest)])
    sent = variant.first.rows[-1]["bytes_sent"]
    rows.append(["bytes sent", *(filesize.decimal(sent[kind]) for kind in KIND_NAMES)])
    whose = "" if num_variants == 1 else f"{variant.name}: "
    several = f", seed {variant.first.seed}" if len(variant.runs) > 1 else ""
    caption = f"{whose}messages to tick {variant.first.rows[-1]['tick']}{several}"
    panel.table(["", *KIND_NAMES.values()], rows, caption=caption, kind="figures")


def _over_time(panel: Panel, variant: Variant) -> None:
    """Of each kind, shares of what came to an end between records."""
    rows = variant.first.rows
    ticks = [row["tick"] for row in rows]
    for kind, name in KIND_NAMES.items():
        totals = {end: np.array([row[f"messages_{end}"][kind] for row in rows], np.float64) for end in ENDS}
        del totals["in_flight"]
        steps = {end: np.diff(total, prepend=0.0) for end, total in totals.items()}
        ended = sum(steps.values(), np.zeros(len(rows)))
        if not ended.any():
            continue
        traces: list[Trace] = [
            {
                "type": "scatter",
                "x": ticks,
                "y": np.divide(100 * step, ended, out=np.zeros(len(rows)), where=ended > 0).tolist(),
                "mode": "lines",
                "stackgroup": "one",
                "name": ENDS[end],
                "line": {"color": END_COLOURS[end], "width": 0.5},
                "hovertemplate": "%{y:.2f} %",
            }
            for end, step in steps.items()
            if step.any()
        ]
        shown = layout(y_title="% of those that ended")
        shown["yaxis"]["range"] = [0, 100]
        share = totals["delivered"][-1] / max(1.0, sum(total[-1] for total in totals.values()))
        says = f"Between records; in all, {percent(share)} of what ended was delivered."
        panel.figure(kind, f"{name[:1].upper()}{name[1:]} over time", traces, shown, says)


def _bytes(panel: Panel, variants: list[Variant]) -> None:
    traces: list[Trace] = []
    for number, variant in enumerate(variants):
        for index, (kind, name) in enumerate(KIND_NAMES.items()):
            series = _rate(variant, kind)
            if series.middle.any():
                label = name if len(variants) == 1 else f"{variant.name}, {name}"
                shade = colour(index if len(variants) == 1 else number)
                traces += lines(series, label, shade, dash=dash(index))
    shown = layout(y_title="bytes sent in a tick")
    shown["yaxis"] |= {"tickformat": ".3s", "rangemode": "tozero"}
    total = each(variants, [filesize.decimal(sum(_last(variant).values())) for variant in variants])
    says = f"Payload that nodes send, all of them together. In all: {total}."
    panel.figure("traffic", "Traffic", traces, shown, says)


def _last(variant: Variant) -> dict[str, int]:
    rows = variant.first.rows
    return rows[-1]["bytes_sent"] if rows else {}


def _rate(variant: Variant, kind: str) -> Series:
    rows: list[dict[str, Any]] = variant.first.rows
    ticks = np.array([row["tick"] for row in rows], np.int64)
    sent = np.array([row["bytes_sent"][kind] for row in rows], np.float64)
    return Series(ticks, np.diff(sent, prepend=0.0) / np.diff(ticks, prepend=0))
