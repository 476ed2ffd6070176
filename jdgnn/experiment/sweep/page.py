"""`sweep.html`: plots and table in one file, which makes no network requests."""

from collections.abc import Sequence

from jdgnn.experiment.report.page import Panel
from jdgnn.experiment.report.page import page as page_of
from jdgnn.experiment.results.labels import embedding_name, heading_of, title_of
from jdgnn.experiment.sweep.grid import short_keys
from jdgnn.experiment.sweep.plot import plot
from jdgnn.experiment.sweep.results import PLOT, Results, Row, best_of, by_task
from jdgnn.experiment.sweep.table import brief, metrics_of, remarks, score_cells, score_text
from jdgnn.files import whole_file


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
    drawn, best = plot(rows), best_of(rows)
    panel = Panel(f"plot-{task}", heading_of(task) if task else "Loss")
    text = ""
    if drawn.baselines:
        text = "Points: mean learned score over seeds, ± one standard deviation. Grey lines: untrained baselines."
    elif drawn.panels and task:
        text = "Dots: combinations, means over seeds. Dashes: means over all combinations with a value."
    if best is not None:
        text += f" Highest mean: {best.variant.label}, {score_text(best)} %."
    if text:
        panel.text(text)
    baselines = [
        one._replace(name=f"{embedding_name(one.name)}{' (far below)' if one.name in drawn.outside else ''}")
        for one in drawn.baselines
    ]
    if lines := [*drawn.series, *baselines]:
        panel.add("legend", title=drawn.series_key, lines=lines)
    with panel.grid("single" if len(drawn.panels) == 1 else "grid"):
        for index, one in enumerate(drawn.panels):
            panel.figure(f"{task}-{index}", one.title, one.figure.data, one.figure.layout, "")
    return panel


def _table(rows: Sequence[Row]) -> Panel:
    """The first task in full, and the learned scores of the others."""
    best, tasks = best_of(rows), by_task(rows)
    heads = [f"{title_of(task)}, {' / '.join(metrics_of(of_task))}" for task, of_task in tasks.items()]
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
    panel.table([*keys, *numbers], cells, kind="numbers")
    for text in remarks(rows):
        panel.text(text)
    return panel
