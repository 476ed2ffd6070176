"""The panel of memory and speed."""

from typing import Any

from rich import filesize

from jdgnn.experiment.report.panel import Panel
from jdgnn.experiment.report.style import colour, layout
from jdgnn.experiment.report.summaries import Summary
from jdgnn.experiment.report.variants import Variant
from jdgnn.experiment.results.tables import percent, short
from jdgnn.experiment.run.ways import in_words

STAGES = ("load", "compile", "emulate", "evaluate")


def speed_panel(variants: list[Variant], summaries: dict[str, Summary]) -> Panel:
    """What runs took: those of the first seeds.

    Args:
      variants: what is shown.
      summaries: of the first seed of each that is finished, by the variant's name.
    """
    panel = Panel("speed", "Memory and speed")
    if not summaries:
        panel.text("What a run takes is known once it is finished.", "note")
        return panel
    _table(panel, summaries)
    with panel.grid():
        _seconds(panel, summaries)
        _memory(panel, summaries)
    panel.text(
        "The roofline is the number of bytes that a node that wakes must move through memory, whatever the "
        "arithmetic: its parameters and its optimiser state read and written, the models it merges and the "
        "embeddings it learns from read. The fraction is their rate over all ticks, measurements included, relative "
        "to an in-place scale of an array of the same "
        "size, measured after the run."
    )
    return panel


def _table(panel: Panel, summaries: dict[str, Summary]) -> None:
    rows: dict[str, list[str]] = {}
    for summary in summaries.values():
        speed, way = summary.speed, in_words(summary.way)
        facts = {
            "ticks per second": short(speed.ticks_per_second) if speed else "-",
            "node wakes per second": f"{speed.wakes_per_second:,.0f}" if speed and speed.wakes_per_second else "-",
            "roofline fraction": percent(speed.roofline_fraction) if speed and speed.roofline_fraction else "-",
            "memory ceiling": f"{speed.ceiling_bytes_per_second / 1e9:.3g} GB/s" if speed else "-",
            "state": filesize.decimal(sum(_parts(summary).values())) if summary.memory else "-",
            "peak memory": filesize.decimal(peak) if (peak := summary.memory.get("peak")) else "-",
            "wall time": f"{summary.wall_seconds:,.1f} s",
            "computed": way.get("way", "-"),
            "in plain JAX": way.get("in plain JAX", "nothing" if way else "-"),
            "processor": way.get("on", "-"),
            "accelerator": " × ".join(map(str, reversed(summary.accelerator.values()))),
        }
        for name, text in facts.items():
            rows.setdefault(name, []).append(text)
    head = ["", *_names(summaries)]
    panel.table(head, [[name, *cells] for name, cells in rows.items()], kind="figures")


def _names(summaries: dict[str, Summary]) -> list[str]:
    return list(summaries) if len(summaries) > 1 else ["this run"]


def _bars(unit: str, count: int) -> dict[str, Any]:
    shown = layout(unit, barmode="stack", hovermode="closest", height=150 + 40 * count)
    shown["yaxis"] |= {"autorange": "reversed"}
    return shown


def _parts(summary: Summary) -> dict[str, int]:
    return {name: size for name, size in summary.memory.items() if name != "peak" and size}


def _seconds(panel: Panel, summaries: dict[str, Summary]) -> None:
    stages = {stage: [getattr(one, f"{stage}_seconds") for one in summaries.values()] for stage in STAGES}
    in_stages = [sum(found) for found in zip(*stages.values(), strict=True)]
    rest = [max(one.wall_seconds - known, 0.0) for one, known in zip(summaries.values(), in_stages, strict=True)]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": _names(summaries),
            "x": seconds,
            "marker": {"color": colour(index)},
            "hovertemplate": "%{x:.3g} s",
        }
        for index, (name, seconds) in enumerate([*stages.items(), ("rest", rest)])
    ]
    shown = _bars("seconds", len(summaries))
    walls = ", ".join(f"{summary.wall_seconds:,.1f} s" for summary in summaries.values())
    panel.figure("seconds", "Where the time went", traces, shown, f"In all {walls}; the rest is snapshots and saving.")


def _memory(panel: Panel, summaries: dict[str, Summary]) -> None:
    names = list(dict.fromkeys(name for summary in summaries.values() for name in _parts(summary)))
    if not names:
        return
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": names,
            "x": [_parts(summary).get(part, 0) for part in names],
            "marker": {"color": colour(index)},
            "hovertemplate": "%{x:.3s}B",
        }
        for index, (name, summary) in enumerate(zip(_names(summaries), summaries.values(), strict=True))
    ]
    shown = layout("bytes", hovermode="closest", height=110 + 26 * len(names) * len(traces), bargap=0.25)
    shown["yaxis"] |= {"autorange": "reversed"}
    shown["xaxis"] |= {"tickformat": ".3s"}
    sizes = ", ".join(filesize.decimal(sum(_parts(summary).values())) for summary in summaries.values())
    panel.figure("memory", "The state of all nodes", traces, shown, f"What nodes hold, by part; in all {sizes}.")
