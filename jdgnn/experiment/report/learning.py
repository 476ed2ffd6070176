"""The panel of learning: the scores of each task over time next to baselines, and each layer's loss and rank."""

import numpy as np
from numpy.typing import NDArray

from jdgnn.experiment.report.curves import Trace, has_any, lines, lines_of_each
from jdgnn.experiment.report.panel import Panel
from jdgnn.experiment.report.style import BASELINE_COLOURS, colour, dash, layout, logarithmic
from jdgnn.experiment.report.variants import Series, Variant, each
from jdgnn.experiment.results.formatting import is_at_edge, mean_and_sd, sentence
from jdgnn.experiment.results.labels import (
    AT_EDGE,
    EDGE,
    EMBEDDINGS,
    embedding_name,
    heading_of,
    held_out_words,
    metric_name,
    repeats_of,
    title_of,
)
from jdgnn.experiment.results.statistics import spread
from jdgnn.experiment.results.tables import short


def learning_panel(variants: list[Variant]) -> Panel:
    """Scores, losses and ranks."""
    panel = Panel("learning", "Learning")
    tasks = list(dict.fromkeys(task for variant in variants for task in variant.tasks))
    with panel.grid():
        for task in tasks:
            _score_figures(panel, variants, task)
    caption = "Final embeddings and untrained baselines"
    if len(variants) == 1:
        _table(panel, variants, tasks, caption)
    else:
        for task in tasks:
            _table(panel, variants, [task], f"{heading_of(task)}: {caption.lower()}")
    if not tasks:
        has_labels = any("labels" in variant.first.network for variant in variants)
        why = "no snapshot has been evaluated yet" if has_labels else "the network has no labels"
        panel.text(f"No embedding was evaluated: {why}.", "note")
    for variant in variants:
        if variant.summaries and (text := held_out_words(variant.summaries[0])):
            panel.text(sentence(text) if len(variants) == 1 else f"{variant.name}: {text}.", "note")
    with panel.grid():
        _losses(panel, variants)
        _ranks(panel, variants)
    return panel


def _score_figures(panel: Panel, variants: list[Variant], task: str) -> None:
    """A figure for each metric: variants of one metric share an axis."""
    groups: dict[str, list[Variant]] = {}
    for variant in variants:
        if task in variant.tasks and has_any([variant.score(task)]):
            groups.setdefault(variant.metric(task), []).append(variant)
    for number, (metric, together) in enumerate(groups.items()):
        end = max(int(variant.score(task).ticks[-1]) for variant in together)
        traces: list[Trace] = []
        for variant in together:
            shade = colour(variants.index(variant))
            traces += lines(variant.score(task), _learned(variants, variant), shade, markers=True)
        axis = logarithmic(1, max(end, 2))
        shown = layout("tick (logarithmic)", metric_name(metric) if metric else "%", xaxis=axis, height=360)
        name = f"score-{task}" if not number else f"score-{task}-{number + 1}"
        traces += _baseline_lines(variants, together, task, end)
        panel.figure(name, f"{heading_of(task)} over time", traces, shown, _caption(variants, together, task))


def _baseline_lines(variants: list[Variant], together: list[Variant], task: str, end: int) -> list[Trace]:
    """All baselines of one variant, or the best one of each in its colour."""
    traces = []
    for variant in together:
        best = variant.best_baseline(task)
        for number, (key, mean) in enumerate(variant.baselines(task, variant.num_repeats(task)).items()):
            if len(variants) == 1:
                shade = BASELINE_COLOURS[number % len(BASELINE_COLOURS)]
                traces.append(_level(embedding_name(key), mean, end, number + 1, shade))
            elif key == best:
                name = f"{variant.name}: best baseline, {embedding_name(key)}"
                traces.append(_level(name, mean, end, 1, colour(variants.index(variant))))
    return traces


def _learned(variants: list[Variant], variant: Variant) -> str:
    return "learned" if len(variants) == 1 else f"{variant.name}: learned"


def _level(name: str, value: float, end: int, number: int, shade: str) -> Trace:
    return {
        "type": "scatter",
        "x": [1, max(end, 2)],
        "y": [value, value],
        "mode": "lines",
        "name": name,
        "line": {"color": shade, "dash": dash(number), "width": 1.5},
        "hovertemplate": "%{y:.4g}",
    }


def _caption(variants: list[Variant], together: list[Variant], task: str) -> str:
    first = together[0]
    found = ", ".join(f"{_learned(variants, variant)} {short(variant.learned(task))} %" for variant in together)
    whose = {variant.name: f"{variant.name} " if len(variants) > 1 else "" for variant in together}
    bests = [
        f"{whose[variant.name]}{embedding_name(best)}, {variant.baselines(task)[best]:.1f} %"
        for variant in together
        if (best := variant.best_baseline(task))
    ]
    if not bests:
        return f"{found} so far; baselines are evaluated once a run is finished."
    return f"{found}; best baseline: {', '.join(bests)}.{_repeats(first, task)} {_band(first, task)}"


def _repeats(variant: Variant, task: str) -> str:
    count, shown = variant.last_scores(task)["learned"].shape[1], variant.num_repeats(task)
    if shown >= count:
        return ""
    return f" Curves use the first {shown} of {count} {repeats_of(task)}."


def _band(variant: Variant, task: str) -> str:
    if len(variant.runs) > 1:
        return f"Band: one standard deviation over {len(variant.runs)} seeds."
    return f"Band: one standard deviation over {repeats_of(task)}." if variant.num_repeats(task) > 1 else ""


def _table(panel: Panel, variants: list[Variant], tasks: list[str], caption: str) -> None:
    """A column for each variant, task and metric, a row for each embedding."""
    columns = [
        (variant, task, metric)
        for task in tasks
        for variant in variants
        if task in variant.tasks and variant.summaries
        for metric in variant.summaries[0]["tasks"][task]
    ]
    if not columns:
        return
    scores = [variant.last_scores(task, metric) for variant, task, metric in columns]
    rows = [
        [label, *(_cell(*column, key, found.get(key)) for column, found in zip(columns, scores, strict=True))]
        for key, label in EMBEDDINGS.items()
        if any(key in found for found in scores)
    ]
    heads = [
        f"{variant.name if len(variants) > 1 else title_of(task)}, {metric_name(metric)}"
        for variant, task, metric in columns
    ]
    edge = f" {EDGE} {AT_EDGE}." if any(EDGE in cell for row in rows for cell in row) else ""
    panel.table(["embedding", *heads], rows, caption=f"{caption}, mean ± sd.{edge}", kind="numbers")


def _cell(variant: Variant, task: str, metric: str, name: str, values: NDArray[np.float64] | None) -> str:
    if values is None:
        return "-"
    text = mean_and_sd(spread(values)._asdict())
    tables = [summary["tasks"][task][metric] for summary in variant.summaries]
    return f"{text} {EDGE}" if any(is_at_edge(table.get(name, {})) for table in tables) else text


def _losses(panel: Panel, variants: list[Variant]) -> None:
    def of_layers(variant: Variant) -> dict[str, Series]:
        return {f"layer {layer + 1}": variant.losses(layer) for layer in range(variant.num_layers)}

    traces = lines_of_each(variants, of_layers)
    if not traces:
        panel.text("No tick was recorded yet.", "note")
        return
    ends = [", ".join(short(series.last) for series in of_layers(variant).values()) for variant in variants]
    says = f"Mean over nodes; band: 5 to 95 % of nodes. At the end, by layer: {each(variants, ends)}."
    panel.figure("loss", "Loss of each layer", traces, layout(y_title="loss"), says)


def _ranks(panel: Panel, variants: list[Variant]) -> None:
    def of_layers(variant: Variant) -> dict[str, Series]:
        layers = range(variant.num_layers)
        return {f"layer {layer + 1}": variant.series("effective_rank", layer) for layer in layers}

    if traces := lines_of_each(variants, of_layers):
        says = "Effective rank of each layer's embeddings; a value near 1 indicates collapse."
        panel.figure("rank", "Effective rank of embeddings", traces, layout(y_title="directions"), says)
