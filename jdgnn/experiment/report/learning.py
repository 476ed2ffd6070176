"""The panel of learning: the scores of each task over time next to baselines, and each layer's loss and rank."""

import numpy as np
from numpy.typing import NDArray

from jdgnn.experiment.report.curves import Trace, has_any, lines
from jdgnn.experiment.report.panel import Panel
from jdgnn.experiment.report.style import BASELINE_COLOURS, colour, dash, layout, logarithmic
from jdgnn.experiment.report.variants import Variant, each
from jdgnn.experiment.results.comparison_tables import mean_and_sd
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
from jdgnn.experiment.results.tables import is_at_edge, short


def learning_panel(variants: list[Variant]) -> Panel:
    """What the embeddings are worth, and how that came."""
    panel = Panel("learning", "Learning")
    tasks = dict.fromkeys(task for variant in variants for task in variant.tasks)
    with panel.grid():
        for task in tasks:
            _score_figures(panel, variants, task)
    if len(variants) == 1 and variants[0].summaries:
        _table(panel, variants, list(tasks), "Final embeddings and their baselines")
    elif len(variants) > 1:
        for task in tasks:
            _table(panel, variants, [task], f"{heading_of(task)}: final embeddings and their baselines")
    if not tasks:
        has_labels = any("labels" in variant.first.network for variant in variants)
        why = "no snapshot has been evaluated yet" if has_labels else "the network has no labels"
        panel.text(f"No embedding was evaluated: {why}.", "note")
    for variant in variants:
        if variant.summaries and (text := held_out_words(variant.summaries[0])):
            panel.text(f"{text[:1].upper()}{text[1:]}." if len(variants) == 1 else f"{variant.name}: {text}.", "note")
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
        name = f"score-{task}" if not number else f"score-{task}-{number + 1}"
        _score_figure(panel, variants, together, task, metric, name)


def _score_figure(
    panel: Panel, variants: list[Variant], together: list[Variant], task: str, metric: str, name: str
) -> None:
    traces: list[Trace] = []
    for variant in together:
        traces += lines(variant.score(task), _learned(variants, variant), colour(variants.index(variant)), markers=True)
    shown = layout("tick (logarithmic)", metric_name(metric) if metric else "%", height=360)
    end = max(int(variant.score(task).ticks[-1]) for variant in together)
    logarithmic(shown["xaxis"], 1, max(end, 2))
    traces += (
        _lines_of_one(variants[0], task, end) if len(variants) == 1 else _best_lines(variants, together, task, end)
    )
    panel.figure(name, f"{heading_of(task)} over time", traces, shown, _caption(variants, together, task))


def _lines_of_one(variant: Variant, task: str, end: int) -> list[Trace]:
    """All of its baselines."""
    means = variant.baseline_means(task, variant.num_repeats(task))
    return [
        _line(embedding_name(key), 100 * mean, end, number + 1, BASELINE_COLOURS[number % len(BASELINE_COLOURS)])
        for number, (key, mean) in enumerate(means.items())
    ]


def _best_lines(variants: list[Variant], together: list[Variant], task: str, end: int) -> list[Trace]:
    """Of each its best baseline, in its colour: what one learned is not to be held against the baselines of another."""
    found = []
    for variant in together:
        means = variant.baseline_means(task, variant.num_repeats(task))
        if best := variant.best_baseline(task):
            name = f"{variant.name}: best baseline, {embedding_name(best)}"
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


def _caption(variants: list[Variant], together: list[Variant], task: str) -> str:
    first = together[0]
    found = ", ".join(f"{_learned(variants, variant)} {short(variant.learned(task))} %" for variant in together)
    bests = {variant.name: _best(variant, task) for variant in together}
    if not any(bests.values()):
        return f"{found} so far; baselines are evaluated once a run is finished."
    texts = [text if len(variants) == 1 else f"{name} {text}" for name, text in bests.items() if text]
    return f"{found}; best baseline: {', '.join(texts)}.{_repeats(first, task)} {_band(first, task)}"


def _best(variant: Variant, task: str) -> str:
    best = variant.best_baseline(task)
    return f"{embedding_name(best)}, {100 * variant.baseline_means(task)[best]:.1f} %" if best else ""


def _repeats(variant: Variant, task: str) -> str:
    count, shown = variant.last_scores(task)["learned"].shape[1], variant.num_repeats(task)
    if shown >= count:
        return ""
    return f" These numbers use all {count} {repeats_of(task)}; lines use the first {shown}."


def _band(variant: Variant, task: str) -> str:
    if len(variant.runs) > 1:
        return f"Band: one standard deviation over {len(variant.runs)} seeds."
    return f"Band: one standard deviation over {repeats_of(task)}." if variant.num_repeats(task) > 1 else ""


def _table(panel: Panel, variants: list[Variant], tasks: list[str], caption: str) -> None:
    """A column for each variant, task and metric, a row for each embedding."""
    columns = {
        (variant.name, task, metric): variant.last_scores(task, metric)
        for task in tasks
        for variant in variants
        if task in variant.tasks
        for metric in (variant.summaries[0]["tasks"][task] if variant.summaries else ())
    }
    if not columns:
        return
    by_name = {variant.name: variant for variant in variants}
    rows = [
        [label, *(_cell(by_name[column[0]], column, key, found.get(key)) for column, found in columns.items())]
        for key, label in EMBEDDINGS.items()
        if any(key in found for found in columns.values())
    ]
    heads = [
        f"{name if len(variants) > 1 else title_of(task)}, {metric_name(metric)}" for name, task, metric in columns
    ]
    edge = f" {EDGE} {AT_EDGE}." if any(EDGE in cell for row in rows for cell in row) else ""
    panel.table(["embedding", *heads], rows, caption=f"{caption}, mean ± sd.{edge}", kind="figures")


def _cell(variant: Variant, column: tuple[str, str, str], name: str, values: NDArray[np.float64] | None) -> str:
    if values is None:
        return "-"
    text, (_, task, metric) = mean_and_sd(spread(values)._asdict()), column
    tables = [summary["tasks"][task][metric] for summary in variant.summaries]
    return f"{text} {EDGE}" if any(is_at_edge(table.get(name, {})) for table in tables) else text


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
            "Effective rank of each layer's embeddings; a value near 1 indicates collapse.",
        )
