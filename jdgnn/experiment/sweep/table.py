"""The closing table of a sweep; it fits 80 columns where the keys allow."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from jdgnn.experiment.results.formatting import interval, mean_and_sd, over, points, print_table, seeds_in_words
from jdgnn.experiment.results.labels import metric_name, title_of
from jdgnn.experiment.sweep.grid import is_number, short_keys
from jdgnn.experiment.sweep.results import Row, alike, best_of, by_task, difference_to

BEST = "*"
NUMBERS = {"consensus_distance": "con-\nsensus", "loss": "loss", "seconds": "s"}
"""Columns after the scores, and their heads."""


def print_sweep(console: Console, rows: Sequence[Row]) -> None:
    """Prints a line for each combination, and remarks."""
    console.print()
    print_table(console, sweep_table(rows, console.width))
    for remark in remarks(rows):
        console.print(remark, soft_wrap=True, markup=False, highlight=False)


def sweep_table(rows: Sequence[Row], width: int) -> Table:
    """A line for each combination in so many characters; `sweep.csv` has the columns for which there is no room."""
    optional, wide = [*list(by_task(rows))[1:], *NUMBERS], Console(width=10_000)
    while wide.measure(table := _table(rows, optional)).maximum > width and optional:
        optional.pop()
    return table


def _table(rows: Sequence[Row], optional: Sequence[str]) -> Table:
    """Settings, scores of the first task, and these columns: learned scores of other tasks, and other numbers."""
    best, tasks = best_of(rows), by_task(rows)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for key, name in short_keys([key for key, _ in rows[0].variant.settings], list(NUMBERS.values())).items():
        are_numbers = all(is_number(dict(row.variant.settings)[key]) for row in rows)
        table.add_column(_folded(name), justify="right" if are_numbers else "left", overflow="fold", min_width=5)
    scored = [_head(rows), "gain", "to\nbest", "95 %\ninterval"][: 0 if not tasks else 2 if best is None else 4]
    for name in (*scored, *(_head(tasks[one], one) if one in tasks else NUMBERS[one] for one in optional)):
        table.add_column(name, justify="right", no_wrap=True)
    for index, row in enumerate(rows):
        settings = [value for _, value in row.variant.settings]
        others = [score_text(tasks[one][index]) if one in tasks else brief(getattr(row, one)) for one in optional]
        cells = score_cells(row, best, " ")[: len(scored)]
        table.add_row(*settings, *cells, *others, style="bold green" if row is best else "")
    return table


def _head(rows: Sequence[Row], task: str = "") -> str:
    """The head of a column of scores, in short lines."""
    metrics = "/".join(name.removesuffix(" %") for name in metrics_of(rows))
    words = title_of(task).partition(",")[0].split() if task else []
    return "\n".join([*words, metrics, "%"])


def metrics_of(rows: Sequence[Row]) -> list[str]:
    """Names of the metrics of the scores: several if the networks differ."""
    return sorted({metric_name(row.metric) for row in rows if row.metric})


def score_text(row: Row) -> str:
    """The learned score in percent, with its spread; a dash where there is none."""
    return "-" if row.learned is None else mean_and_sd(row.learned._asdict())


def score_cells(row: Row, best: Row | None, not_best: str = "") -> list[str]:
    """The learned score, its gain over the best baseline, its difference to the best row, and the interval of that."""
    if row.learned is None or row.gain is None:
        return ["failed" if row.failed else "-", "-", "-", "-"]
    difference = None if best is None else difference_to(row, best)
    to_best = ["", ""] if difference is None else [points(difference.mean, sign="+"), interval(difference._asdict())]
    return [score_text(row) + (BEST if row is best else not_best), points(row.gain.mean, sign="+"), *to_best]


def remarks(rows: Sequence[Row]) -> Iterator[str]:
    """Clauses that explain the table, and state failures."""
    best, task = best_of(rows), next(iter(by_task(rows)), None)
    columns = f"the first score is of the {title_of(task or '')}; gain: learned minus the best baseline"
    if best is not None and best.learned is not None:
        yield f"mean ± sd over {over(best.learned._asdict())}; {columns}"
        yield from _about_best(rows, best)
    elif task is not None:
        yield f"networks or splits differ, so no combination is marked as best; {columns}"
    elif any(row.summaries for row in rows):
        yield "no embedding was evaluated by any task"
    for row in rows:
        for seed, reason in row.failed.items():
            yield f"failed: {row.variant.label}, {seeds_in_words([seed])}: {reason}"
    for rows_alike in alike(rows):
        names = "; ".join(row.variant.label for row in rows_alike)
        yield f"identical results, so their settings make no difference: {names}"
    missing = sum(len(row.seeds) - len(row.summaries) - len(row.failed) for row in rows)
    if missing:
        yield f"{missing} runs are not finished"


def _about_best(rows: Sequence[Row], best: Row) -> Iterator[str]:
    others = [row for row in rows if row is not best and row.task]
    differences = [one for row in others if (one := difference_to(row, best)) is not None]
    known = [one.interval_95 for one in differences if one.interval_95 is not None]
    if not others:
        return
    yield (
        f"{BEST} best of {len(others) + 1}, selected on these scores, so its score is optimistically biased; to best: "
        "the paired difference, with Student's t interval"
    )
    if known:
        alike = sum(low <= 0 <= high for low, high in known)
        yield f"{alike} of {len(known)} others cannot be distinguished from it (their intervals contain 0)"
    else:
        yield "one seed and one repeat give no estimate of noise; write --seeds 3 or more"
    if any(one.over != "seeds" and one.n > 1 for one in differences):
        yield "intervals are over repeats on the same nodes, and narrower than over seeds; write --seeds 3 or more"


def brief(value: float | None) -> str:
    """A number in two digits, or without a fraction if it has more; a dash if it is missing."""
    if value is None:
        return "-"
    if 0 < abs(value) < 1e-3:
        return f"{value:.0e}"
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"


def _folded(name: str) -> str:
    """A key in lines that are short enough."""
    return name.replace("_", "\n") if len(name) > 9 else name
