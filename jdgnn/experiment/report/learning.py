"""The panel of learning: the scores of each task over time next to baselines, and each layer's loss and rank."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from jdgnn.experiment.report.curves import Trace, has_any, lines, lines_of_each
from jdgnn.experiment.report.page import Panel
from jdgnn.experiment.report.style import BASELINE_COLOURS, colour, dash, layout, logarithmic
from jdgnn.experiment.report.variants import Series, Variant, each
from jdgnn.experiment.results import labels
from jdgnn.experiment.results.formatting import is_at_edge, mean_and_sd, sentence
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
            _table(panel, variants, [task], f"{labels.heading_of(task)}: {caption.lower()}")
    if not tasks:
        has_labels = any("labels" in variant.first.network for variant in variants)
        why = "no snapshot has been evaluated yet" if has_labels else "the network has no labels"
        panel.text(f"No embedding was evaluated: {why}.", "note")
    for variant in variants:
        if variant.summaries and (text := labels.held_out_words(variant.summaries[0])):
            panel.text(sentence(f"{variant.prefix}{text}"), "note")
    with panel.grid():
        if any(variant.num_layers for variant in variants):
            _layers(panel, variants)
        else:
            panel.text("No tick was recorded yet.", "note")
    return panel


def _score_figures(panel: Panel, variants: list[Variant], task: str) -> None:
    """A figure for each metric: variants of one metric share an axis."""
    groups: dict[str, list[int]] = {}
    for number, variant in enumerate(variants):
        if task in variant.tasks and has_any([variant.score(task)]):
            groups.setdefault(variant.metric(task), []).append(number)
    for index, (metric, numbers) in enumerate(groups.items()):
        together = {number: variants[number] for number in numbers}
        scores = {number: variant.score(task) for number, variant in together.items()}
        end = max(2, *(int(score.ticks[-1]) for score in scores.values()))
        traces = [
            trace
            for number, variant in together.items()
            for trace in lines(scores[number], f"{variant.prefix}learned", colour(number), markers=True)
        ]
        for number, variant in together.items():
            traces += _baseline_lines(variant, task, end, colour(number))
        title = labels.metric_name(metric) if metric else "%"
        shown = layout("tick (logarithmic)", title, xaxis=logarithmic(1, end), height=360)
        name = f"score-{task}-{index + 1}" if index else f"score-{task}"
        says = _caption(list(together.values()), task)
        panel.figure(name, f"{labels.heading_of(task)} over time", traces, shown, says)


def _baseline_lines(variant: Variant, task: str, end: int, shade: str) -> list[Trace]:
    """All baselines of a single variant, or the best one of each of several in its colour."""
    found = variant.baselines(task, variant.num_repeats(task))
    if not variant.prefix:
        shades = [BASELINE_COLOURS[number % len(BASELINE_COLOURS)] for number in range(len(found))]
        levels = [(labels.embedding_name(name), mean) for name, mean in found.items()]
    else:
        best, shades = variant.best_baseline(task), [shade]
        levels = [(f"{variant.prefix}best baseline, {labels.embedding_name(best)}", found[best])] if best else []
    return [
        {
            "type": "scatter",
            "x": [1, end],
            "y": [mean, mean],
            "mode": "lines",
            "name": name,
            "line": {"color": shade, "dash": dash(number + 1), "width": 1.5},
            "hovertemplate": "%{y:.4g}",
        }
        for number, ((name, mean), shade) in enumerate(zip(levels, shades, strict=False))
    ]


def _caption(variants: list[Variant], task: str) -> str:
    finished = [variant for variant in variants if variant.baselines(task)]
    found = "; ".join(_finding(variant, task) for variant in variants)
    if not finished:
        return f"Learned embeddings at each snapshot. So far: {found}; baselines are evaluated once a run is finished."
    first, repeats = finished[0], labels.repeats_of(task)
    count, shown = first.last_scores(task)["learned"].shape[1], first.num_repeats(task)
    texts = [
        "Learned embeddings at each snapshot, and baselines as horizontal lines.",
        f"At the end: {found}.",
        f"Curves use the first {shown} of {count} {repeats}." if shown < count else "",
    ]
    if len(first.runs) > 1:
        texts.append(f"Band: one standard deviation over {len(first.runs)} seeds.")
    elif shown > 1:
        texts.append(f"Band: one standard deviation over {repeats}.")
    return " ".join(filter(None, texts))


def _finding(variant: Variant, task: str) -> str:
    text = f"{variant.prefix}learned {short(variant.learned(task))} %"
    if best := variant.best_baseline(task):
        text += f", best baseline ({labels.embedding_name(best)}) {variant.baselines(task)[best]:.1f} %"
    return text


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
        for key, label in labels.EMBEDDINGS.items()
        if any(key in found for found in scores)
    ]
    heads = [
        f"{variant.name if variant.prefix else labels.title_of(task)}, {labels.metric_name(metric)}"
        for variant, task, metric in columns
    ]
    is_marked = any(labels.EDGE in cell for row in rows for cell in row)
    edge = f" {labels.EDGE} {labels.AT_EDGE}." if is_marked else ""
    panel.table(["embedding", *heads], rows, caption=f"{caption}, mean ± sd.{edge}", kind="numbers")


def _cell(variant: Variant, task: str, metric: str, name: str, values: NDArray[np.float64] | None) -> str:
    if values is None:
        return "-"
    text = mean_and_sd(spread(values)._asdict())
    tables = [summary["tasks"][task][metric] for summary in variant.summaries]
    return f"{text} {labels.EDGE}" if any(is_at_edge(table.get(name, {})) for table in tables) else text


def _layers(panel: Panel, variants: list[Variant]) -> None:
    """The loss and the rank of each layer."""

    def draw(name: str, title: str, y_title: str, series_of: Callable[[Variant, int], Series], says: str) -> None:
        found = [
            {f"layer {layer + 1}": series_of(variant, layer) for layer in range(variant.num_layers)}
            for variant in variants
        ]
        ends = each(variants, [", ".join(short(series.last) for series in of.values()) for of in found])
        traces = lines_of_each(variants, found)
        panel.figure(name, title, traces, layout(y_title=y_title), f"{says} At the end, by layer: {ends}.")

    says = "Mean over nodes; band: 5 to 95 % of nodes."
    draw("loss", "Loss of each layer", "loss", Variant.losses, says)
    says = "Effective rank of each layer's embeddings; a value near 1 indicates collapse."
    draw(
        "rank",
        "Effective rank of embeddings",
        "directions",
        lambda one, layer: one.series("effective_rank", layer),
        says,
    )
