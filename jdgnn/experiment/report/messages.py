"""The panel of messages: the outcome of every message, and the bytes sent."""

from typing import Any

import numpy as np
from rich import filesize

from jdgnn.experiment.report.curves import Trace, bars, lines_of_each
from jdgnn.experiment.report.page import Panel
from jdgnn.experiment.report.style import layout
from jdgnn.experiment.report.variants import Series, Variant, each
from jdgnn.experiment.results.formatting import percent
from jdgnn.experiment.results.labels import capitalised
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


def messages_panel(variants: list[Variant]) -> Panel:
    """Outcomes of messages."""
    panel = Panel("messages", "Messages")
    begun = [variant for variant in variants if variant.first.rows]
    if not begun:
        panel.text("No tick was recorded yet.", "note")
        return panel
    _outcomes(panel, {variant.prefix: _counts(variant) for variant in begun})
    for variant in begun:
        _accounts(panel, variant)
    with panel.grid():
        if len(variants) == 1:
            _over_time(panel, variants[0])
        _bytes(panel, variants)
    return panel


def _counts(variant: Variant) -> Any:
    """Messages by outcome and kind at the last recorded tick of the first seed, with those that were sent."""
    import pandas as pd

    row = variant.first.rows[-1]
    return pd.DataFrame({kind: {end: row[f"messages_{end}"][kind] for end in ("sent", *ENDS)} for kind in KINDS})


def _outcomes(panel: Panel, counts: dict[str, Any]) -> None:
    """A bar for each kind of each variant."""
    import pandas as pd

    columns = {f"{prefix}{label}": of[kind] for kind, label in KINDS.items() for prefix, of in counts.items()}
    table: Any = pd.DataFrame({label: column for label, column in columns.items() if column["sent"]})
    traces = [
        bars(
            name,
            (100 * table.loc[end] / table.loc["sent"]).tolist(),
            list(table),
            END_COLOURS[end],
            "%{customdata:,} (%{x:.2f} %)",
            orientation="h",
            customdata=table.loc[end].tolist(),
            marker={"pattern": {**PATTERN, "shape": PATTERNS.get(end, "")}},
        )
        for end, name in ENDS.items()
        if len(table) and table.loc[end].any()
    ]
    axes: dict[str, Any] = {"xaxis": {"range": [0, 100]}, "yaxis": {"autorange": "reversed"}}
    height = 130 + 36 * table.shape[1]
    shown = layout("% of sent messages", **axes, barmode="stack", hovermode="closest", height=height)
    sent = int(table.loc["sent"].sum()) if len(table) else 0
    says = f"Outcomes by kind. {sent:,} messages sent; each has exactly one outcome or is still in flight."
    panel.figure("ends", "Outcomes of messages", traces, shown, says)


def _accounts(panel: Panel, variant: Variant) -> None:
    """Exact counts, which add up."""
    counts, sent = _counts(variant), variant.first.rows[-1]["bytes_sent"]
    counts.loc["rest"] = counts.loc["sent"] - counts.loc[list(ENDS)].sum()
    names = {"sent": "sent", **ENDS, "rest": "sent − all of these"}
    rows = [[name, *(f"{count:,}" for count in counts.loc[end])] for end, name in names.items()]
    rows.append(["bytes sent", *(filesize.decimal(sent[kind]) for kind in KINDS)])
    several = f", seed {variant.first.seed}" if len(variant.runs) > 1 else ""
    caption = f"{variant.prefix}messages until tick {variant.first.tick}{several}"
    panel.table(["", *KINDS.values()], rows, caption=capitalised(caption), kind="numbers")


def _over_time(panel: Panel, variant: Variant) -> None:
    """For each kind, the outcomes of the messages that came to an end between records."""
    for kind, name in KINDS.items():
        columns = {f"messages_{end}.{kind}": end for end in ENDS if end != "in_flight"}
        totals = variant.first.table[list(columns)].rename(columns=columns).astype(float)
        steps = totals.diff().fillna(totals)
        ended = steps.sum(axis=1)
        if not ended.any():
            continue
        shares = (100 * steps).div(ended, axis=0).where(ended > 0, 0.0)
        traces: list[Trace] = [
            {
                "type": "scatter",
                "x": shares.index.tolist(),
                "y": shares[end].tolist(),
                "mode": "lines",
                "stackgroup": "one",
                "name": ENDS[end],
                "line": {"color": END_COLOURS[end], "width": 0.5},
                "hovertemplate": "%{y:.2f} %",
            }
            for end in shares
            if steps[end].any()
        ]
        shown = layout(y_title="% of messages with an outcome", yaxis={"range": [0, 100]})
        last = totals.iloc[-1]
        says = (
            f"Outcomes between records. In total, {percent(last['delivered'] / max(1.0, last.sum()))} were delivered."
        )
        panel.figure(kind, f"{capitalised(name)} over time", traces, shown, says)


def _bytes(panel: Panel, variants: list[Variant]) -> None:
    found = [{name: _rate(variant, kind) for kind, name in KINDS.items()} for variant in variants]
    traces = [trace for trace in lines_of_each(variants, found) if any(trace["y"])]
    shown = layout(y_title="bytes sent in a tick", yaxis={"tickformat": ".3s", "rangemode": "tozero"})
    last = [variant.first.rows[-1]["bytes_sent"] if variant.first.rows else {} for variant in variants]
    total = each(variants, [filesize.decimal(sum(sent.values())) for sent in last])
    panel.figure("traffic", "Traffic", traces, shown, f"Payload sent per tick, summed over all nodes. Total: {total}.")


def _rate(variant: Variant, kind: str) -> Series:
    table = variant.first.table.reindex(columns=["tick", f"bytes_sent.{kind}"]).astype(float)
    steps = table.diff().fillna(table)
    return Series(table.index.to_numpy(np.int64), (steps[f"bytes_sent.{kind}"] / steps["tick"]).to_numpy())
