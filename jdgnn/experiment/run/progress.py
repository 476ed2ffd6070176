"""What a person sees of a run while it goes: a live bar and table on a terminal, plain lines anywhere else."""

import contextlib
from collections.abc import Iterator
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from jdgnn.emulation.progress_bar import PLAIN_LINES, duration, progress_words
from jdgnn.emulation.run import Progress as RunProgress
from jdgnn.experiment.run.live_table import LiveTable


class Display(Protocol):
    """Shows how far a run is."""

    def show(self, progress: RunProgress) -> None:
        """Takes what `jdgnn.run` reports after each chunk."""

    def evaluated(self, tick: int, text: str) -> None:
        """Takes the scores after a tick, in words; shown until there are new ones."""


@contextlib.contextmanager
def display(console: Console, ticks: int) -> Iterator[Display]:
    """A display of a run of so many ticks, fit for where the console writes to."""
    if not console.is_terminal:
        console.print("compiling")
        yield _Foretelling(console, _Lines(console))
        return
    bar, table = _bar(console), LiveTable()
    with Live(Group(bar, table), console=console):
        yield _Foretelling(console, _OnTerminal(bar, table, ticks))


@contextlib.contextmanager
def stage(console: Console, what: str) -> Iterator[None]:
    """Says what is being done: a spinner on a terminal, a line anywhere else."""
    if console.is_terminal:
        with console.status(what):
            yield
    else:
        console.print(what, soft_wrap=True)
        yield


class _Foretelling:
    """Says once, after the first chunk, what a tick takes, and how long all will."""

    def __init__(self, console: Console, shown: Display) -> None:
        self._console, self._shown, self._is_told = console, shown, False

    def show(self, progress: RunProgress) -> None:
        if not self._is_told and progress.tick < progress.end_tick:
            ticks, seconds = progress.end_tick - progress.start_tick, 1 / progress.ticks_per_second
            self._console.print(
                f"{1000 * seconds:.3g} ms a tick: about {duration(ticks * seconds)} for {ticks:,} ticks",
                highlight=False,
            )
        self._is_told = True
        self._shown.show(progress)

    def evaluated(self, tick: int, text: str) -> None:
        self._shown.evaluated(tick, text)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._lines_shown = -1

    def show(self, progress: RunProgress) -> None:
        ticks = progress.end_tick - progress.start_tick
        line = (progress.tick - progress.start_tick) * PLAIN_LINES // ticks
        if line > self._lines_shown and progress.rows:
            self._lines_shown = line
            words = ", ".join(progress_words(progress).values())
            self._console.print(f"tick {progress.tick}/{progress.end_tick}, {words}")

    def evaluated(self, tick: int, text: str) -> None:
        """Lines are few, and the closing table has the scores."""


class _OnTerminal:
    def __init__(self, bar: Progress, table: LiveTable, ticks: int) -> None:
        self._bar, self._table = bar, table
        self._task = bar.add_task("", total=ticks, speed="compiling", left="")

    def show(self, progress: RunProgress) -> None:
        told = progress_words(progress)
        done = progress.tick - progress.start_tick
        self._bar.update(self._task, completed=done, speed=told["speed"], left=told["left"])
        self._table.show(progress.rows)

    def evaluated(self, tick: int, text: str) -> None:
        self._table.evaluated(tick, text)


def _bar(console: Console) -> Progress:
    """One line: the bar takes what the figures leave."""
    bar = BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=6))
    done = TextColumn("{task.completed}/{task.total}", table_column=Column(no_wrap=True))
    told = TextColumn("{task.fields[speed]} {task.fields[left]}", table_column=Column(no_wrap=True))
    return Progress(bar, done, told, console=console, expand=True)
