"""The closing table of a sweep; it fits 80 columns where the keys allow."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from jdgnn.experiment.results.comparison_tables import interval, mean_and_sd, points, seeds_in_words
from jdgnn.experiment.results.labels import metric_name, title_of
from jdgnn.experiment.results.tables import print_table
from jdgnn.experiment.sweep.grid import is_number, short_keys
from jdgnn.experiment.sweep.results import Row, alike, best_of, by_task, difference_to

BEST = "*"
FIGURES = ("consensus_distance", "loss", "seconds")
HEADS = {"consensus_distance": "con-\nsensus", "loss": "loss", "seconds": "s"}


def print_sweep(console: Console, rows: Sequence[Row]) -> None:
    """Prints a line for each combination, what the marks mean, and what failed."""
    console.print()
    print_table(console, sweep_table(rows, console.width))
    for remark in remarks(rows):
        console.print(remark, soft_wrap=True, markup=False, highlight=False)


def sweep_table(rows: Sequence[Row], width: int) -> Table:
    """A line for each combination; columns that `sweep.csv` has too are left out where there is no room.

    Args:
      rows: all combinations.
      width: columns of text that there are.
    """
    others = list(by_task(rows))[1:]
    optional = [*others, *FIGURES]
    table, wide = _table(rows, optional), Console(width=10_000)
    for count in range(len(optional) - 1, -1, -1):
        if wide.measure(table).maximum <= width:
            break
        table = _table(rows, optional[:count])
    return table


def _table(rows: Sequence[Row], optional: Sequence[str]) -> Table:
    """Settings, the scores of the first task, and then the learned scores of other tasks, and figures."""
    best, tasks = best_of(rows), by_task(rows)
    keys = short_keys([key for key, _ in rows[0].variant.settings], list(HEADS.values()))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for key, name in keys.items():
        are_numbers = all(is_number(dict(row.variant.settings)[key]) for row in rows)
        table.add_column(_folded(name), justify="right" if are_numbers else "left", overflow="fold", min_width=5)
    names = [score_head(rows), "gain"] if tasks else []
    scored = [*names, *(["to\nbest", "95 %\ninterval"] if best is not None else [])]
    for name in (*scored, *(score_head(tasks[one], one) if one in tasks else HEADS[one] for one in optional)):
        table.add_column(name, justify="right", no_wrap=True)
    for index, row in enumerate(rows):
        settings = [value for _, value in row.variant.settings]
        cells = list(_scored(row, best))[: len(scored)]
        others = [score_text(tasks[one][index]) if one in tasks else brief(getattr(row, one)) for one in optional]
        table.add_row(*settings, *cells, *others, style="bold green" if row is best else "")
    return table


def score_head(rows: Sequence[Row], task: str = "") -> str:
    """What a column of scores is of, in short lines."""
    metrics = "/".join(sorted({metric_name(row.metric).removesuffix(" %") for row in rows if row.metric}))
    words = title_of(task).partition(",")[0].split() if task else []
    return "\n".join([*words, metrics, "%"])


def score_text(row: Row) -> str:
    """What was learned, in percent, with its spread; a dash where there are no scores."""
    if row.learned is None:
        return "-"
    return mean_and_sd(row.learned._asdict())


def _scored(row: Row, best: Row | None) -> Iterator[str]:
    if row.learned is None or row.gain is None:
        yield from ("failed" if row.failed else "-", "-", "-", "-")
        return
    yield f"{score_text(row)}{BEST if row is best else ' '}"
    yield points(row.gain.mean, sign="+")
    difference = None if best is None else difference_to(row, best)
    yield "" if difference is None else points(difference.mean, sign="+")
    yield "" if difference is None else interval(difference._asdict())


def remarks(rows: Sequence[Row]) -> Iterator[str]:
    """What it takes to read the table, and what failed.

    Args:
      rows: all combinations.

    Yields:
      A sentence each.
    """
    best, task = best_of(rows), next(iter(by_task(rows)), None)
    of_what = "" if task is None else f"the first score is of the {title_of(task)}; gain is on the best baseline"
    if best is not None and best.learned is not None:
        over = f"{best.learned.n} {best.learned.over}" if best.learned.n > 1 else f"one of the {best.learned.over}"
        yield f"mean ± sd over {over}; {of_what}"
        yield from _about_best(rows, best)
    elif task is not None:
        yield f"networks or splits differ, so that no best is named; {of_what}"
    elif any(row.summaries for row in rows):
        yield "no embedding was evaluated by any task"
    for row in rows:
        for seed, reason in row.failed.items():
            yield f"failed: {row.variant.label}, {seeds_in_words([seed])}: {reason}"
    for rows_alike in alike(rows):
        names = "; ".join(row.variant.label for row in rows_alike)
        yield f"the same figures, so what differs between them makes no difference here: {names}"
    missing = sum(len(row.seeds) - len(row.summaries) - len(row.failed) for row in rows)
    if missing:
        yield f"{missing} runs are not finished"


def _about_best(rows: Sequence[Row], best: Row) -> Iterator[str]:
    others = [row for row in rows if row is not best and row.task]
    differences = [difference_to(row, best) for row in others]
    known = [one.interval_95 for one in differences if one is not None and one.interval_95 is not None]
    if not others:
        return
    yield (
        f"{BEST} best of {len(others) + 1}, by these very figures, which flatters it; to best is the paired "
        "difference, with Student's t"
    )
    if known:
        alike = sum(low <= 0 <= high for low, high in known)
        yield f"{alike} of {len(known)} others cannot be told from it: their intervals hold 0"
    else:
        yield "with one seed and one repeat nothing is known of noise; write --seeds 3 or more"
    if any(one is not None and one.over != "seeds" and one.n > 1 for one in differences):
        yield "intervals are over repeats on the same nodes, and narrower than over seeds; write --seeds 3 or more"


def brief(value: float | None) -> str:
    """A figure in two digits or three, a dash if it is missing.

    >>> brief(0.00047), brief(0.0123), brief(12.34), brief(1234.0), brief(None)
    ('5e-04', '0.012', '12', '1234', '-')
    """
    if value is None:
        return "-"
    if 0 < abs(value) < 1e-3:
        return f"{value:.0e}"
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"


def _folded(name: str) -> str:
    r"""A key in lines that are short enough.

    >>> _folded("learning_rate")
    'learning\nrate'
    """
    return name.replace("_", "\n") if len(name) > 9 else name
