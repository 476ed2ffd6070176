"""The panel of memory and speed."""

from typing import Any

from rich import filesize

from jdgnn.experiment.report.curves import bars
from jdgnn.experiment.report.page import Panel
from jdgnn.experiment.report.style import colour, layout
from jdgnn.experiment.report.variants import Variant
from jdgnn.experiment.results.formatting import percent
from jdgnn.experiment.results.tables import STAGES, short
from jdgnn.experiment.run.ways import in_words

Summaries = dict[str, dict[str, Any]]


def speed_panel(variants: list[Variant]) -> Panel:
    """Time and memory of the first seed of each variant."""
    panel = Panel("speed", "Memory and speed")
    found = {variant.name: variant.first.summary for variant in variants if variant.first.summary}
    if not found:
        panel.text("Time and memory are known once a run is finished.", "note")
        return panel
    summaries = found if len(found) > 1 else dict(zip(["this run"], found.values(), strict=True))
    _table(panel, summaries)
    with panel.grid():
        _seconds(panel, summaries)
        _memory(panel, summaries)
    panel.text(
        "The roofline counts the bytes that a waking node must move through memory: it reads and writes its parameters "
        "and its optimiser state, and reads the models it merges and the embeddings it learns from. The fraction is "
        "their rate over all ticks, measurements included, relative to scaling an array of the same size in place, "
        "measured after the run."
    )
    return panel


def _table(panel: Panel, summaries: Summaries) -> None:
    facts = [_facts(summary) for summary in summaries.values()]
    panel.table(["", *summaries], [[name, *(one[name] for one in facts)] for name in facts[0]], kind="numbers")


def _facts(summary: dict[str, Any]) -> dict[str, str]:
    speed, way = summary.get("speed") or {}, in_words(summary.get("way"))
    wakes, fraction = speed.get("wakes_per_second"), speed.get("roofline_fraction")
    state, peak = _state(summary), summary.get("memory", {}).get("peak")
    return {
        "ticks per second": short(speed.get("ticks_per_second")),
        "node wakes per second": f"{wakes:,.0f}" if wakes else "-",
        "roofline fraction": percent(fraction) if fraction else "-",
        "memory ceiling": f"{speed['ceiling_bytes_per_second'] / 1e9:.3g} GB/s" if speed else "-",
        "state": filesize.decimal(sum(state.values())) if state else "-",
        "peak memory": filesize.decimal(peak) if peak else "-",
        "wall time": f"{summary['wall_seconds']:,.1f} s",
        "computed": way.get("way", "-"),
        "in plain JAX": way.get("in plain JAX", "nothing" if way else "-"),
        "processor": way.get("on", "-"),
        "accelerator": " × ".join(map(str, reversed(summary["accelerator"].values()))),
    }


def _state(summary: dict[str, Any]) -> dict[str, int]:
    """Bytes of the state of all nodes, by part."""
    return {name: size for name, size in summary.get("memory", {}).items() if name != "peak" and size}


def _seconds(panel: Panel, summaries: Summaries) -> None:
    stages = {name: {stage: summary[f"{stage}_seconds"] for stage in STAGES} for name, summary in summaries.items()}
    walls = [summary["wall_seconds"] for summary in summaries.values()]
    for seconds, wall in zip(stages.values(), walls, strict=True):
        seconds["rest"] = max(wall - sum(seconds.values()), 0.0)
    traces = [
        bars(stage, [of[stage] for of in stages.values()], list(stages), colour(index), "%{x:.3g} s", orientation="h")
        for index, stage in enumerate((*STAGES, "rest"))
    ]
    shown = _layout("seconds", 150 + 40 * len(walls), barmode="stack")
    says = f"Wall time by stage; rest: snapshots and saving. Total: {', '.join(f'{wall:,.1f} s' for wall in walls)}."
    panel.figure("seconds", "Wall time", traces, shown, says)


def _memory(panel: Panel, summaries: Summaries) -> None:
    states = {name: _state(summary) for name, summary in summaries.items()}
    parts = list(dict.fromkeys(part for state in states.values() for part in state))
    if not parts:
        return
    traces = [
        bars(name, [state.get(part, 0) for part in parts], parts, colour(index), "%{x:.3s}B", orientation="h")
        for index, (name, state) in enumerate(states.items())
    ]
    shown = _layout("bytes", 110 + 26 * len(parts) * len(traces), xaxis={"tickformat": ".3s"}, bargap=0.25)
    total = ", ".join(filesize.decimal(sum(state.values())) for state in states.values())
    says = f"Memory of the state of all nodes, by part. Total: {total}."
    panel.figure("memory", "State of all nodes", traces, shown, says)


def _layout(x_title: str, height: int, **others: Any) -> dict[str, Any]:
    return layout(x_title, yaxis={"autorange": "reversed"}, hovermode="closest", height=height, **others)
