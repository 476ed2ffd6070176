"""The tables over several runs; they fit 80 columns."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box, filesize
from rich.console import Console
from rich.table import Table

from jdgnn.experiment.config.problems import shown
from jdgnn.experiment.results.labels import (
    embedding_name,
    heading_of,
    held_out_words,
    metric_name,
    repeats_of,
)
from jdgnn.experiment.results.tables import print_facts, print_table

MOST_COLUMNS = 3
"""At most so many runs beside each other."""

SHARED_NODES = "splits share nodes, so an interval over splits is narrower than one over seeds would be"


def print_seeds(console: Console, result: dict[str, Any], directory: Path, files: Sequence[str]) -> None:
    """Prints what `seeds.json` says, and where the files are."""
    for task, found in result["tasks"].items():
        console.print()
        console.print(
            f"{_title(task, found)} on {result['dataset']}, {seeds_in_words(result['seeds'])}", soft_wrap=True
        )
        print_table(console, _seeds_table(task, found))
    if not result["tasks"]:
        console.print("\nno embedding was evaluated by any task")
    held_out = held_out_words(result)
    notes = [*([("note", held_out)] if held_out else []), *_mixed(result)]
    print_facts(console, [*notes, ("files", f"{', '.join(files)} in {directory}")])


def print_comparison(console: Console, comparison: dict[str, Any]) -> None:
    """Prints scores and differences, which runs they are of, and how their configurations differ."""
    for task, found in comparison["tasks"].items():
        console.print(f"{_title(task, found)} on {comparison['dataset']}", soft_wrap=True)
        for runs in _next_to_each_other(comparison["runs"]):
            print_table(console, _scores_table(found, [run["name"] for run in runs]))
    print_facts(console, list(_facts(comparison)))
    console.print()
    if not comparison["configuration"]:
        console.print("the configurations do not differ, but for the seeds")
        return
    console.print("what the configurations differ in")
    for runs in _next_to_each_other(comparison["runs"]):
        print_table(console, _configuration_table(comparison["configuration"], runs))


def _title(task: str, found: dict[str, Any]) -> str:
    return f"{heading_of(task)}, {metric_name(found['metric'])},"


def seeds_in_words(seeds: Sequence[int]) -> str:
    """Which seeds.

    >>> seeds_in_words([3]), seeds_in_words([0, 1, 2]), seeds_in_words([0, 2])
    ('seed 3', 'seeds 0 to 2', 'seeds 0, 2')
    """
    is_range = len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
    some = f"{seeds[0]} to {seeds[-1]}" if is_range else ", ".join(map(str, seeds))
    return f"seed{'s' if len(seeds) > 1 else ''} {some}"


def _seeds_table(task: str, found: dict[str, Any]) -> Table:
    scores, differences = found["scores"], found["differences"]
    table = Table(caption=_over_what(task, scores["learned"], found["num_repeats"]), **_STYLE)
    table.add_column("embedding", no_wrap=True)
    for name in (metric_name(found["metric"]), "learned - this", "std error"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right")
    for name, score in scores.items():
        cells = _difference_cells(differences[name]) if name in differences else ("", "", "")
        table.add_row(embedding_name(name), mean_and_sd(score), *cells, end_section=name == "learned")
    return table


_STYLE: dict[str, Any] = {"box": box.SIMPLE_HEAD, "pad_edge": False, "caption_justify": "left"}


def _over_what(task: str, score: dict[str, Any], num_repeats: int) -> str:
    if score["n"] == 1:
        return f"one seed and one of the {repeats_of(task)}, so that no spread is known"
    is_of_means = score["over"] == "seeds" and num_repeats > 1
    of_means = f" of means over {num_repeats} {repeats_of(task)}" if is_of_means else ""
    return f"mean ± sd over {_over(score)}{of_means}; intervals are Student's t"


def _difference_cells(difference: dict[str, Any]) -> tuple[str, str, str]:
    return (mean_and_sd(difference, sign="+"), points(difference["standard_error"]), interval(difference))


def _next_to_each_other(runs: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The first run with some of the others each, so that they fit."""
    first, *others = runs
    for start in range(0, len(others), MOST_COLUMNS - 1):
        yield [first, *others[start : start + MOST_COLUMNS - 1]]


def _scores_table(found: dict[str, Any], runs: list[str]) -> Table:
    table = Table(**_STYLE)
    table.add_column("embedding", no_wrap=True)
    for run in runs:
        table.add_column(run, justify="right", no_wrap=True)
    of_runs = [found["scores"][run] for run in runs]
    for name in dict.fromkeys(name for scores in of_runs for name in scores):
        cells = [mean_and_sd(scores[name]) if name in scores else "" for scores in of_runs]
        table.add_row(embedding_name(name), *cells)
    table.add_row("mean ± sd over", *(_over(scores["learned"]) for scores in of_runs), end_section=True)
    differences = {difference["of"]: difference for difference in found["differences"]}
    for label, texts in _difference_rows([differences.get(run) for run in runs]):
        table.add_row(label, *texts)
    return table


def _difference_rows(differences: Sequence[dict[str, Any] | None]) -> Iterator[tuple[str, list[str]]]:
    texts = {
        "learned - A's": lambda difference: points(difference["mean"], sign="+"),
        "sd of pairs": lambda difference: points(difference["sd"]),
        "standard error": lambda difference: points(difference["standard_error"]),
        "95 % interval": interval,
        "paired over": _over,
    }
    for label, text in texts.items():
        yield label, [text(difference) if difference else "" for difference in differences]


def _facts(comparison: dict[str, Any]) -> Iterator[tuple[str, str]]:
    runs = comparison["runs"]
    differences = [one for found in comparison["tasks"].values() for one in found["differences"]]
    for run in runs:
        unfinished = f"; not finished, and left out: {', '.join(run['unfinished'])}" if run["unfinished"] else ""
        yield run["name"], f"{run['directory']}: {seeds_in_words(run['seeds'])}{unfinished}"
    seeds = {run["name"]: run["seeds"] for run in runs}
    for difference in {one["of"]: one for one in differences}.values():
        of, to, common = difference["of"], difference["to"], difference["seeds"]
        left_out = [f"{seeds_in_words(rest)} of {name}" for name in (to, of) if (rest := _without(seeds[name], common))]
        if left_out:
            yield "note", f"{of} - {to} is taken over {seeds_in_words(common)}, without {' and '.join(left_out)}"
    if any(difference["over"] != "seeds" and difference["n"] > 1 for difference in differences):
        yield "note", SHARED_NODES
    for run in runs:
        if text := held_out_words(run):
            yield run["name"], text
    if left_out := comparison["tasks_left_out"]:
        yield "note", f"not all runs were evaluated by {', '.join(left_out)}"
    yield from _unequal(comparison["runs"])
    yield from _mixed(comparison)


UNEQUAL = 0.01
"""What runs took is told where it differs by more, relative to the largest."""


def _unequal(runs: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """What the runs took, where that is not the same: a difference may be one of effort."""
    for key, (name, text) in {
        "ticks": ("ticks", "{:,.0f}".format),
        "wakes": ("node-updates", "{:,.0f}".format),
        "bytes_sent": ("bytes sent", lambda number: filesize.decimal(round(number))),
    }.items():
        took = {run["name"]: run["took"][key] for run in runs if run["took"][key] is not None}
        if took and min(took.values()) < (1 - UNEQUAL) * max(took.values()):
            yield "note", f"{name} differ: " + ", ".join(f"{text(number)} in {run}" for run, number in took.items())


def _mixed(result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if result["mixed_ways"] is not None:
        yield "note", result["mixed_ways"]


def _without(seeds: list[int], others: list[int]) -> list[int]:
    return [seed for seed in seeds if seed not in others]


def _configuration_table(differing: dict[str, dict[str, Any]], runs: list[dict[str, Any]]) -> Table:
    table = Table(**_STYLE)
    table.add_column("key")
    for run in runs:
        table.add_column(run["name"], overflow="fold")
    for key, values in differing.items():
        table.add_row(key, *("-" if values[run["name"]] is None else shown(values[run["name"]]) for run in runs))
    return table


def _over(score: dict[str, Any]) -> str:
    """What a spread is over, in words.

    >>> _over({"over": "seeds", "n": 3}), _over({"over": "splits", "n": 1})
    ('3 seeds', 'one of the splits')
    """
    return f"{score['n']} {score['over']}" if score["n"] > 1 else f"one of the {score['over']}"


def mean_and_sd(score: Mapping[str, Any], *, sign: str = "") -> str:
    """A `Spread` or `Difference` of `jdgnn.experiment.results.statistics` in percent.

    >>> mean_and_sd({"mean": 0.5, "sd": 0.0123}), mean_and_sd({"mean": 0.5, "sd": None}, sign="+")
    ('50.0 ± 1.2', '+50.0')
    """
    spread = "" if score["sd"] is None else f" ± {points(score['sd'])}"
    return points(score["mean"], sign=sign) + spread


def interval(difference: Mapping[str, Any]) -> str:
    """The ends of the interval of a `jdgnn.experiment.results.statistics.Difference`, in percentage points.

    >>> interval({"interval_95": (-0.012, 0.031)}), interval({"interval_95": None})
    ('-1.2 to +3.1', '-')
    """
    ends = difference["interval_95"]
    return "-" if ends is None else " to ".join(points(end, sign="+") for end in ends)


def points(share: float | None, *, sign: str = "") -> str:
    """A share in percent, or a difference of shares in percentage points; a dash if it is unknown.

    >>> points(0.8123), points(-0.0004, sign="+"), points(0.0004, sign="+"), points(None)
    ('81.2', '0.0', '0.0', '-')
    """
    if share is None:
        return "-"
    text = format(100 * share, f"{sign}.1f")
    return "0.0" if text.strip("+-") == "0.0" else text
