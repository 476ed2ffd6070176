"""Numbers, names and tables as the command line shows them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jdgnn.experiment.results.labels import EDGE, capitalised


def print_table(console: Console, table: Table) -> None:
    """Prints a table; in a file or pipe without blanks at the ends of lines."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        console.print(Text(line.rstrip()), soft_wrap=True)


def print_facts(console: Console, facts: Iterable[tuple[str, str]]) -> None:
    """Prints a line for each fact; a terminal folds long ones."""
    if not console.is_terminal:
        for name, text in facts:
            console.print(Text(f"{name:6}  {text}"), soft_wrap=True)
        return
    grid = Table.grid(padding=(0, 2))
    for name, text in facts:
        grid.add_row(Text(name, "bold"), Text(text, overflow="fold"))
    console.print(grid, highlight=False)


def percent(share: float) -> str:
    """A share in percent, in two digits.

    >>> percent(0.357), percent(0.00123), percent(1.0)
    ('36 %', '0.12 %', '100 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def points(share: float | None, *, sign: str = "", digits: int = 1) -> str:
    """A share in percent, or a difference of shares in percentage points; a dash if it is unknown.

    >>> points(0.8123), points(-0.0004, sign="+"), points(0.0004, sign="+"), points(None)
    ('81.2', '0.0', '0.0', '-')
    """
    if share is None:
        return "-"
    text = format(100 * share, f"{sign}.{digits}f")
    return text if float(text) else text.lstrip("+-")


def mean_and_sd(score: Mapping[str, Any], *, sign: str = "") -> str:
    """A `Spread` or `Difference` in percent, as 50.0 ± 1.2."""
    spread = "" if score["sd"] is None else f" ± {points(score['sd'])}"
    return points(score["mean"], sign=sign) + spread


def score_cell(score: Mapping[str, Any]) -> str:
    """A score of a summary in percent, with its standard deviation over repeats."""
    text = mean_and_sd({"mean": score["mean"], "sd": score["sd"] if len(score["values"]) > 1 else None})
    return f"{text} {EDGE}" if is_at_edge(score) else text


def is_at_edge(score: Mapping[str, Any]) -> bool:
    """Whether a better setting of the classifier may lie beyond the tried ones."""
    return bool(score.get("num_at_edge"))


def interval(difference: Mapping[str, Any], digits: int = 1) -> str:
    """The interval of a `Difference` in percentage points, as -1.2 to +3.1; a dash if it is unknown."""
    ends = difference["interval_95"]
    return "-" if ends is None else " to ".join(points(end, sign="+", digits=digits) for end in ends)


def over(score: Mapping[str, Any]) -> str:
    """The sample of a `Spread` or `Difference`, as 3 seeds."""
    return f"{score['n']} {score['over']}" if score["n"] > 1 else f"one of the {score['over']}"


def seeds_in_words(seeds: Sequence[int]) -> str:
    """Seeds in words.

    >>> seeds_in_words([3]), seeds_in_words([0, 1, 2]), seeds_in_words([0, 2])
    ('seed 3', 'seeds 0 to 2', 'seeds 0, 2')
    """
    is_range = len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
    some = f"{seeds[0]} to {seeds[-1]}" if is_range else ", ".join(map(str, seeds))
    return f"seed{'s' if len(seeds) > 1 else ''} {some}"


def sentence(text: str) -> str:
    """A clause as a sentence."""
    return f"{capitalised(text)}."
