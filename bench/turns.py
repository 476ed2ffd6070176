"""Contenders that take turns, so that what disturbs the machine disturbs them all; and how their figures are told.

A turn is some ticks of one contender. In each round every contender has one turn.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.machine import shown
from bench.worker import Contender

PAGES = ("default", "huge")


def add_options(parser: argparse.ArgumentParser, rounds: int = 7) -> None:
    """Options of all programs that let contenders take turns."""
    parser.add_argument("--rounds", type=positive, default=rounds, help="turns of each contender")
    parser.add_argument("--seconds", type=float, default=2.0, help="that a turn takes, about")
    parser.add_argument("--ticks", type=positive, help="that a turn has, however long they take")
    parser.add_argument("--threads", type=positive, default=2, help="of each contender, and so many cores")
    parser.add_argument("--pages", choices=PAGES, default="default", help="huge: ask for huge pages, in all contenders")


def add_result_options(parser: argparse.ArgumentParser, result: Path) -> None:
    """Where a result goes, and whether one is shown again."""
    parser.add_argument("--json", type=Path, default=result, help="the file with the result (default: %(default)s)")
    parser.add_argument("--table", action="store_true", help="print the figures in that file and measure nothing")


def positive(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def start(arguments: argparse.Namespace, name: str, factory: str, python: str | None = None, **what: Any) -> Contender:
    """Starts a contender on the cores and pages that the options say, and says how long that took."""
    description = {"factory": factory, "arguments": {**what, "threads": arguments.threads}}
    others = {} if python is None else {"python": python}
    contender = Contender(name, description, arguments.pages == "huge", arguments.threads, **others)
    print(f"{name}: ready in {contender.setup_seconds:.1f} s", flush=True)
    return contender


def ticks_for(arguments: argparse.Namespace, contender: Contender, least: int = 1) -> int:
    """How many ticks make a turn: at least so many, unless the user says how many."""
    if arguments.ticks:
        return int(arguments.ticks)
    ticks, took = 1, contender.run(1)
    while took < arguments.seconds / 4:
        ticks *= 2
        took = contender.run(ticks)
    return max(least, round(ticks * arguments.seconds / took))


def take_turns(
    running: Mapping[str, Contender],
    ticks: Mapping[str, int],
    rounds: int,
    tell: Callable[[str], None] | None = None,
) -> dict[str, list[float]]:
    """Seconds per tick of each contender in each round.

    Args:
      running: the contenders.
      ticks: how many make a turn of each.
      rounds: how many turns each has.
      tell: called with a line after each round.

    Returns:
      A list for each contender, one entry for each round.
    """
    seconds: dict[str, list[float]] = {name: [] for name in running}
    for number in range(rounds):
        for name, contender in running.items():
            seconds[name].append(contender.run(ticks[name]) / ticks[name])
        if tell is not None:
            tell(f"round {number + 1}: " + ", ".join(f"{name} {1e3 * s[-1]:.3g} ms" for name, s in seconds.items()))
    return seconds


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Median and range, and the values themselves."""
    return {
        "median": statistics.median(values),
        "lowest": min(values),
        "highest": max(values),
        "all": list(values),
    }


def ratios(above: Sequence[float], below: Sequence[float]) -> dict[str, Any]:
    """One contender's figures over another's, both of the same round."""
    return spread([a / b for a, b in zip(above, below, strict=True)])


def rounded(number: float) -> str:
    """To three digits, with commas."""
    return f"{float(f'{number:.3g}'):,.0f}" if number >= 100 else f"{number:.3g}"


def ranged(figures: Mapping[str, Any]) -> str:
    """Median (lowest to highest) of a spread."""
    return f"{rounded(figures['median'])} ({rounded(figures['lowest'])} to {rounded(figures['highest'])})"


def setting(result: Mapping[str, Any]) -> str:
    """On how many cores, and with what pages, a result was measured."""
    pages = {"huge": "huge pages", "default": "pages of the usual size"}[result["pages"]]
    return f"{result['threads']} {'core' if result['threads'] == 1 else 'cores'}, {pages}"


def show(
    arguments: argparse.Namespace,
    table: Callable[[dict[str, Any]], str],
    plot: Callable[[dict[str, Any], Path], None],
    committed: Path,
    picture: Path,
) -> None:
    """Prints the result in a file, and draws it unless only its table was asked for.

    Args:
      arguments: with the options of `add_result_options`.
      table: gives the figures as Markdown.
      plot: draws them into a file.
      committed: the file with the committed result.
      picture: where that is drawn; another result is drawn beside its file.
    """
    file: Path = arguments.json
    if file.exists() and not arguments.table:
        plot(json.loads(file.read_text()), picture if file == committed else file.with_suffix(".png"))
    print(shown(file, table))
