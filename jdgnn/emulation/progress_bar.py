"""A bar that shows how far a run is: in a notebook, on a terminal, or as a few plain lines."""

import shutil
import sys
from collections.abc import Callable
from typing import Any, Protocol

from jdgnn.emulation.progress_words import figures
from jdgnn.emulation.run import Progress
from jdgnn.html import Html, escaped

PLAIN_LINES = 20
"""At most so many lines for a run, where there is no terminal."""

BAR = 24
"""Letters of a bar on a terminal of 80 columns."""


def progress_bar() -> Callable[[Progress], None]:
    """Gives something for `on_progress` that shows a bar, with speed, time left, mean loss and consensus distance.

    In a notebook the bar is drawn below the cell; elsewhere it is written to standard error: as one line that changes
    where that is a terminal, else as at most twenty lines. It serves any number of runs, one after another.

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
    """A bar for each run, by where it begins and ends."""

    def __init__(self) -> None:
        self._bar: _Bar | None = None
        self._told: dict[str, str] = {}
        self._tick = 0

    def show(self, progress: Progress) -> None:
        if self._bar is None or progress.start_tick >= self._tick or progress.tick <= self._tick:
            self._bar, self._told = _fitting(), {}
        self._tick = progress.tick
        self._told |= figures(progress)
        self._bar.show(progress, ", ".join(self._told.values()))


def _fitting() -> _Bar:
    if _is_notebook():
        return _InNotebook()
    return _OnTerminal() if sys.stderr is not None and sys.stderr.isatty() else _Lines()


def _is_notebook() -> bool:
    """Whether cells are run by a kernel that shows HTML; IPython on a terminal is none."""
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


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
    """A bar as a notebook shows it.

    Args:
      progress: how far the run is.
      words: what stands right of the bar.
    """
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
