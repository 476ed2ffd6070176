"""The tables over several runs; they fit 80 columns."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich import box, filesize
from rich.console import Console
from rich.table import Column, Table

from jdgnn.experiment.config.problems import shown
from jdgnn.experiment.results.formatting import (
    interval,
    mean_and_sd,
    over,
    points,
    print_facts,
    print_table,
    seeds_in_words,
)
from jdgnn.experiment.results.labels import embedding_name, heading_of, held_out_words, metric_name, repeats_of

MOST_COLUMNS = 3
"""Runs in one table."""

UNEQUAL = 0.01
"""Relative difference of efforts above which a note states them."""

SHARED_NODES = "splits share nodes, so an interval over splits is narrower than one over seeds would be"

STYLE: dict[str, Any] = {"box": box.SIMPLE_HEAD, "pad_edge": False, "caption_justify": "left"}


def print_seeds(console: Console, result: dict[str, Any], directory: Path, files: Sequence[str]) -> None:
    """Prints the content of `seeds.json`, and the place of the files."""
    where = f"on {result['dataset']}, {seeds_in_words(result['seeds'])}"
    for task, found in result["tasks"].items():
        console.print()
        console.print(f"{_title(task, found)} {where}", soft_wrap=True)
        print_table(console, _seeds_table(task, found))
    if not result["tasks"]:
        console.print("\nno embedding was evaluated by any task")
    notes = [note for note in (held_out_words(result), result["mixed_ways"]) if note]
    print_facts(console, [*(("note", note) for note in notes), ("files", f"{', '.join(files)} in {directory}")])


def print_comparison(console: Console, comparison: dict[str, Any]) -> None:
    """Prints scores and differences, the runs, and the configuration keys that differ."""
    for task, found in comparison["tasks"].items():
        console.print(f"{_title(task, found)} on {comparison['dataset']}", soft_wrap=True)
        for runs in _groups(comparison["runs"]):
            print_table(console, _scores_table(found, [run["name"] for run in runs]))
    print_facts(console, _facts(comparison))
    console.print()
    if not comparison["configuration"]:
        console.print("the configurations do not differ, except for the seeds")
        return
    console.print("configuration keys that differ")
    for runs in _groups(comparison["runs"]):
        print_table(console, _configuration_table(comparison["configuration"], runs))


def _title(task: str, found: dict[str, Any]) -> str:
    return f"{heading_of(task)}, {metric_name(found['metric'])},"


def _seeds_table(task: str, found: dict[str, Any]) -> Table:
    scores, differences = found["scores"], found["differences"]
    heads = (metric_name(found["metric"]), "learned - this", "std error")
    table = Table(
        Column("embedding", no_wrap=True),
        *(Column(head, justify="right", no_wrap=True) for head in heads),
        Column("95 % interval", justify="right"),
        caption=_seeds_caption(task, scores["learned"], found["num_repeats"]),
        **STYLE,
    )
    for name, score in scores.items():
        cells = _difference_cells(differences[name]) if name in differences else ("", "", "")
        table.add_row(embedding_name(name), mean_and_sd(score), *cells, end_section=name == "learned")
    return table


def _seeds_caption(task: str, score: dict[str, Any], num_repeats: int) -> str:
    if score["n"] == 1:
        return f"one seed and one of the {repeats_of(task)}: no spread is known"
    is_of_means = score["over"] == "seeds" and num_repeats > 1
    of_means = f" of means over {num_repeats} {repeats_of(task)}" if is_of_means else ""
    return f"mean ± sd over {over(score)}{of_means}; intervals are Student's t"


def _difference_cells(difference: dict[str, Any]) -> tuple[str, str, str]:
    return mean_and_sd(difference, sign="+"), points(difference["standard_error"]), interval(difference)


def _groups(runs: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The first run with some of the others each, so that tables fit 80 columns."""
    first, *others = runs
    for start in range(0, len(others), MOST_COLUMNS - 1):
        yield [first, *others[start : start + MOST_COLUMNS - 1]]


def _scores_table(found: dict[str, Any], runs: list[str]) -> Table:
    columns = [Column(run, justify="right", no_wrap=True) for run in runs]
    table = Table(Column("embedding", no_wrap=True), *columns, **STYLE)
    of_runs = [found["scores"][run] for run in runs]
    for name in dict.fromkeys(name for scores in of_runs for name in scores):
        cells = [mean_and_sd(scores[name]) if name in scores else "" for scores in of_runs]
        table.add_row(embedding_name(name), *cells)
    table.add_row("mean ± sd over", *(over(scores["learned"]) for scores in of_runs), end_section=True)
    differences = {difference["of"]: difference for difference in found["differences"]}
    rows = {
        "learned - A's": lambda difference: points(difference["mean"], sign="+"),
        "sd of pairs": lambda difference: points(difference["sd"]),
        "standard error": lambda difference: points(difference["standard_error"]),
        "95 % interval": interval,
        "paired over": over,
    }
    for label, text in rows.items():
        table.add_row(label, *(text(differences[run]) if run in differences else "" for run in runs))
    return table


def _facts(comparison: dict[str, Any]) -> Iterator[tuple[str, str]]:
    runs = comparison["runs"]
    differences = [one for found in comparison["tasks"].values() for one in found["differences"]]
    for run in runs:
        unfinished = f"; not finished and left out: {', '.join(run['unfinished'])}" if run["unfinished"] else ""
        yield run["name"], f"{run['directory']}: {seeds_in_words(run['seeds'])}{unfinished}"
    seeds = {run["name"]: run["seeds"] for run in runs}
    for difference in {one["of"]: one for one in differences}.values():
        of, to, common = difference["of"], difference["to"], difference["seeds"]
        rest = {name: [seed for seed in seeds[name] if seed not in common] for name in (to, of)}
        left_out = [f"{seeds_in_words(some)} of {name}" for name, some in rest.items() if some]
        if left_out:
            yield "note", f"{of} - {to} is taken over {seeds_in_words(common)}, without {' and '.join(left_out)}"
    if any(difference["over"] != "seeds" and difference["n"] > 1 for difference in differences):
        yield "note", SHARED_NODES
    for run in runs:
        if text := held_out_words(run):
            yield run["name"], text
    if left_out := comparison["tasks_left_out"]:
        yield "note", f"not all runs were evaluated by {', '.join(left_out)}"
    yield from _unequal(runs)
    if comparison["mixed_ways"] is not None:
        yield "note", comparison["mixed_ways"]


def _unequal(runs: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Notes on efforts that differ, as they may explain a difference of scores."""
    for key, name in {"ticks": "ticks", "wakes": "node-updates", "bytes_sent": "bytes sent"}.items():
        took = {run["name"]: round(run["took"][key]) for run in runs if run["took"][key] is not None}
        if took and min(took.values()) < (1 - UNEQUAL) * max(took.values()):
            shown = filesize.decimal if key == "bytes_sent" else "{:,}".format
            yield "note", f"{name} differ: " + ", ".join(f"{shown(number)} in {run}" for run, number in took.items())


def _configuration_table(differing: dict[str, dict[str, Any]], runs: list[dict[str, Any]]) -> Table:
    table = Table("key", *(Column(run["name"], overflow="fold") for run in runs), **STYLE)
    for key, values in differing.items():
        table.add_row(key, *("-" if values[run["name"]] is None else shown(values[run["name"]]) for run in runs))
    return table
