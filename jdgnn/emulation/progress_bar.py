"""A progress bar of a run: in a notebook, on a terminal, or as a few plain lines."""

import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from jdgnn.emulation.run import Progress
from jdgnn.html import Html, escaped

PLAIN_LINES = 20  # the most lines for one run without a terminal
BAR = 24  # characters of a bar on a terminal of 80 columns


def progress_bar() -> Callable[[Progress], None]:
    """Makes an `on_progress` that shows a bar with speed, time left, mean loss and consensus distance.

    In a notebook the bar appears below the cell. Elsewhere it is written to standard error: as one changing line on a
    terminal, and as at most twenty lines otherwise. The same bar serves any number of runs, one after another.

    Returns:
      A function of a `jdgnn.Progress`.

    Example:
      >>> import jax, jdgnn
      >>> network = jdgnn.generators.ring(6)
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(4)], objective=jdgnn.info_nce(), optimizer=jdgnn.sgd(0.1),
      ...     push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> state = emulator.init(jax.random.key(0), network)
      >>> state, history = jdgnn.run(emulator, state, network, 4, on_progress=jdgnn.progress_bar())
    """
    return _Bars().show


class _Bar(Protocol):
    def show(self, progress: Progress, words: str) -> None: ...


class _Bars:
    """A new bar for each run; runs are told apart by their ticks."""

    def __init__(self) -> None:
        self._bar: _Bar | None = None
        self._words: dict[str, str] = {}
        self._tick = 0

    def show(self, progress: Progress) -> None:
        if self._bar is None or progress.start_tick >= self._tick or progress.tick <= self._tick:
            self._bar, self._words = _bar(), {}
        self._tick = progress.tick
        self._words |= progress_words(progress)
        self._bar.show(progress, ", ".join(self._words.values()))


def _bar() -> _Bar:
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if hasattr(shell, "kernel"):  # IPython on a terminal has none
        return _InNotebook()
    return _OnTerminal() if sys.stderr is not None and sys.stderr.isatty() else _Lines()


class _InNotebook:
    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, progress: Progress, words: str) -> None:
        from IPython.display import HTML, display

        drawn = HTML(bar_as_html(progress, words))
        if self._handle is None:
            self._handle = display(drawn, display_id=True)
        else:
            self._handle.update(drawn)


def bar_as_html(progress: Progress, words: str) -> Html:
    """The bar of a notebook, with `words` to its right."""
    done, all_ = progress.tick - progress.start_tick, progress.end_tick - progress.start_tick
    bar = f'<progress value="{done}" max="{all_}" style="width:200px;vertical-align:middle"></progress>'
    return Html(f"<div>{bar} {done:,} of {all_:,} ticks, {escaped(words)}</div>")


class _OnTerminal:
    def show(self, progress: Progress, words: str) -> None:
        done, all_ = progress.tick - progress.start_tick, progress.end_tick - progress.start_tick
        columns = shutil.get_terminal_size().columns - 1
        full = BAR * done // all_
        line = f"{'#' * full}{'.' * (BAR - full)} {done}/{all_} {words.replace(',', '')}"[:columns]
        sys.stderr.write(f"\r{line:<{columns}}" + ("\n" if progress.tick == progress.end_tick else ""))
        sys.stderr.flush()


class _Lines:
    def __init__(self) -> None:
        self._shown = -1

    def show(self, progress: Progress, words: str) -> None:
        line = (progress.tick - progress.start_tick) * PLAIN_LINES // (progress.end_tick - progress.start_tick)
        if line > self._shown and sys.stderr is not None:
            self._shown = line
            print(f"tick {progress.tick}/{progress.end_tick}, {words}", file=sys.stderr)


def progress_words(progress: Progress) -> dict[str, str]:
    """Texts by short names: speed, time left, and the last recorded loss and consensus distance."""
    seconds_left = (progress.end_tick - progress.tick) / progress.ticks_per_second
    words = {"speed": f"{progress.ticks_per_second:.3g} ticks/s", "left": f"{duration(seconds_left)} left"}
    if progress.rows:
        row = progress.rows[-1]
        words["loss"] = f"loss {short(mean(row['loss']))}"
        words["consensus"] = f"consensus {short(row['consensus_distance'])}"
    return words


def mean(values: Sequence[float | None]) -> float | None:
    """The mean of the values that are not None; None if there are none.

    >>> mean([1.0, None, 2.0]), mean([None])
    (1.5, None)
    """
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def short(value: float | None) -> str:
    """A number in three digits, or as a whole number if it has more; a dash for None.

    >>> short(0.0123456), short(1234.5), short(None)
    ('0.0123', '1,234', '-')
    """
    if value is None:
        return "-"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Minutes and seconds, and hours if there are any.

    >>> duration(75), duration(4000)
    ('1:15', '1:06:40')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
