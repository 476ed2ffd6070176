"""The panel of messages: the outcome of every one that was sent, and the bytes."""

from typing import Any

import numpy as np
from rich import filesize

from jdgnn.experiment.report.curves import Trace, bars, lines_of_each
from jdgnn.experiment.report.panel import Panel
from jdgnn.experiment.report.style import layout
from jdgnn.experiment.report.variants import Series, Variant, each
from jdgnn.experiment.results.formatting import percent
from jdgnn.experiment.results.tables import ENDS, KINDS

END_COLOURS = {
    "delivered": "#009e73",
    "dropped": "#d55e00",
    "to_offline": "#e69f00",
    "superseded": "#56b4e9",
    "evicted": "#cc79a7",
    "rejected": "#222222",
    "in_flight": "#999999",
}
PATTERN = {"size": 6, "solidity": 0.25, "fillmode": "overlay"}
PATTERNS = {"dropped": "/", "to_offline": "\\", "superseded": "x", "evicted": "-", "rejected": "+", "in_flight": "."}

Counts = dict[str, dict[str, int]]


def messages_panel(variants: list[Variant]) -> Panel:
    """Outcomes of messages."""
    panel = Panel("messages", "Messages")
    counts = {variant.name: _counts(variant) for variant in variants if variant.first.rows}
    if not counts:
        panel.text("No tick was recorded yet.", "note")
        return panel
    _outcomes(panel, counts, len(variants))
    for variant in variants:
        if variant.first.rows:
            _accounts(panel, variant, counts[variant.name], len(variants))
    with panel.grid():
        if len(variants) == 1:
            _over_time(panel, variants[0])
        _bytes(panel, variants)
    return panel


def _counts(variant: Variant) -> Counts:
    """Messages by kind and outcome at the last recorded tick of the first seed, sent ones among them."""
    row = variant.first.rows[-1]
    return {kind: {end: row[f"messages_{end}"][kind] for end in ("sent", *ENDS)} for kind in KINDS}


def _outcomes(panel: Panel, counts: dict[str, Counts], num_variants: int) -> None:
    """A bar for each kind of each variant."""
    found_by = {
        label if num_variants == 1 else f"{name}: {label}": found[kind]
        for kind, label in KINDS.items()
        for name, found in counts.items()
        if found[kind]["sent"]
    }
    traces = [
        bars(
            name,
            [100 * found[end] / found["sent"] for found in found_by.values()],
            list(found_by),
            END_COLOURS[end],
            "%{customdata:,} (%{x:.2f} %)",
            orientation="h",
            customdata=[found[end] for found in found_by.values()],
            marker={"pattern": {**PATTERN, "shape": PATTERNS.get(end, "")}},
        )
        for end, name in ENDS.items()
        if any(found[end] for found in found_by.values())
    ]
    axes: dict[str, Any] = {"xaxis": {"range": [0, 100]}, "yaxis": {"autorange": "reversed"}}
    height = 130 + 36 * len(found_by)
    shown = layout("% of sent messages", **axes, barmode="stack", hovermode="closest", height=height)
    sent = sum(found["sent"] for found in found_by.values())
    says = f"{sent:,} messages sent; each has exactly one outcome or is still in flight."
    panel.figure("ends", "Outcomes of messages", traces, shown, says)


def _accounts(panel: Panel, variant: Variant, found: Counts, num_variants: int) -> None:
    """Exact counts, which add up."""
    rows = [[name, *(f"{found[kind][end]:,}" for kind in KINDS)] for end, name in {"sent": "sent", **ENDS}.items()]
    rest = [found[kind]["sent"] - sum(found[kind][end] for end in ENDS) for kind in KINDS]
    rows.append(["sent − all of these", *(f"{left:,}" for left in rest)])
    sent = variant.first.rows[-1]["bytes_sent"]
    rows.append(["bytes sent", *(filesize.decimal(sent[kind]) for kind in KINDS)])
    whose = "" if num_variants == 1 else f"{variant.name}: "
    several = f", seed {variant.first.seed}" if len(variant.runs) > 1 else ""
    caption = f"{whose}messages to tick {variant.first.tick}{several}"
    panel.table(["", *KINDS.values()], rows, caption=caption, kind="figures")


def _over_time(panel: Panel, variant: Variant) -> None:
    """Of each kind, shares of the messages that came to an end between records."""
    rows = variant.first.rows
    for kind, name in KINDS.items():
        totals = {end: np.array([row[f"messages_{end}"][kind] for row in rows], np.float64) for end in ENDS}
        del totals["in_flight"]
        steps = {end: np.diff(total, prepend=0.0) for end, total in totals.items()}
        ended = sum(steps.values(), np.zeros(len(rows)))
        if not ended.any():
            continue
        traces: list[Trace] = [
            {
                "type": "scatter",
                "x": [row["tick"] for row in rows],
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
        shown = layout(y_title="% of messages with an outcome", yaxis={"range": [0, 100]})
        share = totals["delivered"][-1] / max(1.0, sum(total[-1] for total in totals.values()))
        says = f"Outcomes between records. In total, {percent(share)} were delivered."
        panel.figure(kind, f"{name[:1].upper()}{name[1:]} over time", traces, shown, says)


def _bytes(panel: Panel, variants: list[Variant]) -> None:
    def of_kinds(variant: Variant) -> dict[str, Series]:
        return {name: _rate(variant, kind) for kind, name in KINDS.items()}

    traces = [trace for trace in lines_of_each(variants, of_kinds) if any(trace["y"])]
    shown = layout(y_title="bytes sent in a tick", yaxis={"tickformat": ".3s", "rangemode": "tozero"})
    last = [variant.first.rows[-1]["bytes_sent"] if variant.first.rows else {} for variant in variants]
    total = each(variants, [filesize.decimal(sum(sent.values())) for sent in last])
    panel.figure("traffic", "Traffic", traces, shown, f"Payload sent per tick, summed over all nodes. Total: {total}.")


def _rate(variant: Variant, kind: str) -> Series:
    rows = variant.first.rows
    ticks = np.array([row["tick"] for row in rows], np.int64)
    sent = np.array([row["bytes_sent"][kind] for row in rows], np.float64)
    return Series(ticks, np.diff(sent, prepend=0.0) / np.diff(ticks, prepend=0))
