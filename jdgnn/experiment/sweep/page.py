"""`sweep.html`: plot and table in one file, which works without a network."""

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from jdgnn.experiment.report.page import page as page_of
from jdgnn.experiment.report.panel import Panel
from jdgnn.experiment.results.labels import embedding_name, heading_of, metric_name, title_of
from jdgnn.experiment.sweep.grid import short_keys
from jdgnn.experiment.sweep.plot import Plot, plot
from jdgnn.experiment.sweep.results import PLOT, Results, Row, best_of, by_task
from jdgnn.experiment.sweep.table import brief, remarks, score_cells, score_text
from jdgnn.files import whole_file

DASH_ARRAYS = {
    "solid": "", "dash": "9,9", "dot": "3,3", "dashdot": "9,3,3,3", "longdash": "15,15", "longdashdot": "15,3,3,3",
}  # fmt: skip
"""As plotly draws them, a little closer."""

SHAPES = {
    "circle": '<circle cx="22" cy="8" r="4.5"/>',
    "square": '<rect x="18" y="4" width="8" height="8"/>',
    "diamond": '<path d="M22 2l6 6-6 6-6-6z"/>',
    "triangle-up": '<path d="M22 3l5 9h-10z"/>',
    "cross": '<path d="M20 3h4v3h3v4h-3v3h-4v-3h-3v-4h3z"/>',
    "x": '<path d="M18 2l4 4 4-4 2 2-4 4 4 4-2 2-4-4-4 4-2-2 4-4-4-4z"/>',
    "triangle-down": '<path d="M22 13l5-9h-10z"/>',
}


def write_page(results: Results) -> None:
    """Writes `sweep.html`."""
    with whole_file(results.path / PLOT) as file:
        file.write(page(list(results.rows.values()), results.path.name).encode())


def page(rows: Sequence[Row], name: str) -> str:
    """The whole page of a sweep with this name, as HTML."""
    dataset = next((str(summary["dataset"]) for row in rows for summary in row.summaries.values()), "")
    title = f"{name}: evaluation on {dataset}" if any(row.task for row in rows) else name
    runs = sum(len(row.summaries) for row in rows)
    plots = [_plots(of_task, task) for task, of_task in by_task(rows).items()] or [_plots(rows, "")]
    return page_of(title, f"{len(rows)} combinations, {runs} finished runs", [*plots, _table(rows)])


def _plots(rows: Sequence[Row], task: str) -> Panel:
    drawn = plot(rows)
    panel = Panel(f"plot-{task}", heading_of(task) if task else "Loss")
    if drawn.baselines:
        panel.text("Points: mean learned score over seeds, ± one standard deviation. Grey lines: untrained baselines.")
    elif drawn.panels and task:
        panel.text("Dots: combinations, means over seeds. Dashes: means over all combinations with a value.")
    if lines := list(_legend(drawn)):
        panel.add("legend", title=drawn.series_key, lines=lines)
    with panel.grid("single" if len(drawn.panels) == 1 else "grid"):
        for index, one in enumerate(drawn.panels):
            panel.figure(f"{task}-{index}", one.title, one.figure.data, one.figure.layout, "")
    return panel


def _legend(drawn: Plot) -> Iterator[dict[str, Any]]:
    far = {name: f"{embedding_name(name)} (far below)" for name in drawn.outside}
    names = [one.name for one in drawn.series]
    names += [far.get(one.name, embedding_name(one.name)) for one in drawn.baselines]
    for name, one in zip(names, [*drawn.series, *drawn.baselines], strict=True):
        yield {
            "name": name,
            "colour": one.colour,
            "dashes": DASH_ARRAYS.get(one.dash, one.dash.replace("px", "")),
            "shape": Markup(SHAPES.get(one.symbol, "")),
        }


def _table(rows: Sequence[Row]) -> Panel:
    """The first task in full, and the learned scores of the others."""
    best, tasks = best_of(rows), by_task(rows)
    heads = [f"{title_of(task)}, {_metrics(of_task)}" for task, of_task in tasks.items()]
    numbers = [heads[0], "gain", "to best", "95 % interval", *heads[1:]] if heads else []
    numbers += ["seeds", "consensus distance", "loss", "seconds"]
    keys = short_keys([key for key, _ in rows[0].variant.settings], numbers).values()
    cells = [
        [
            *(value for _, value in row.variant.settings),
            *(score_cells(row, best) if tasks else []),
            *(score_text(of_task[index]) for of_task in list(tasks.values())[1:]),
            *[str(len(row.summaries)), *map(brief, (row.consensus_distance, row.loss, row.seconds))],
        ]
        for index, row in enumerate(rows)
    ]
    panel = Panel("combinations", "All combinations")
    panel.table([*keys, *numbers], cells, kind="figures")
    for text in remarks(rows):
        panel.text(text)
    return panel


def _metrics(rows: Sequence[Row]) -> str:
    return " / ".join(sorted({metric_name(row.metric) for row in rows if row.metric}))
