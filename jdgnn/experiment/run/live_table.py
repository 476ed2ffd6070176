"""What a terminal shows of a run below its bar: the last recorded figures, in a few lines of 80 columns."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich import filesize
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from jdgnn.emulation.metrics import QUANTILES
from jdgnn.emulation.progress_bar import short
from jdgnn.experiment.run.available_memory import peak_bytes
from jdgnn.protocol.accounts import KINDS

WORDS = {"embedding": "embeddings", "push": "pushes", "model": "models"}
ENDS = {"delivered": "delivered", "dropped": "dropped", "to_offline": "to offline"}
STEADY = 0.002
"""A loss that has changed by less, relative to what it was, has not moved."""

MEDIAN, UPPER = QUANTILES.index(0.5), QUANTILES.index(0.95)


class LiveTable:
    """The last row, and how losses have moved since the look before; empty before the first.

    Example:
      >>> table = LiveTable()
      >>> table.evaluated(50, "accuracy 81.2 %, best baseline 79.0 %")
      >>> console = Console(width=60)
      >>> with console.capture() as printed:
      ...     console.print(table)
      >>> printed.get().strip()
      'score  tick 50: accuracy 81.2 %, best baseline 79.0 %'
    """

    def __init__(self) -> None:
        self._row: dict[str, Any] | None = None
        self._trends: list[str] = []
        self._score: str | None = None

    def show(self, rows: Sequence[dict[str, Any]]) -> None:
        """Takes the rows that were recorded since the last look."""
        if rows:
            before = rows[0] if self._row is None else self._row
            self._row = rows[-1]
            self._trends = [_trend(*pair) for pair in zip(before["loss"], self._row["loss"], strict=True)]

    def evaluated(self, tick: int, text: str) -> None:
        """Takes scores, in words."""
        self._score = f"tick {tick}: {text}"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(no_wrap=True, overflow="ellipsis")
        lines = [] if self._row is None else list(self._lines(self._row, is_ascii=options.ascii_only))
        for name, line in [*lines, *([] if self._score is None else [("score", self._score)])]:
            grid.add_row(name, Text(line))
        if grid.row_count:
            yield grid

    def _lines(self, row: dict[str, Any], *, is_ascii: bool) -> Iterator[tuple[str, str]]:
        arrows = {"up": "+", "down": "-", "": " "} if is_ascii else {"up": "↑", "down": "↓", "": " "}
        losses = [f"{short(loss)}{arrows[trend]}" for loss, trend in zip(row["loss"], self._trends, strict=True)]
        yield "loss", f"{' '.join(losses)}  effective rank {' '.join(map(short, row['effective_rank']))}"
        spread = row["quantiles"]["staleness"]
        peak = peak_bytes()
        memory = f"  memory at most {filesize.decimal(peak)} so far" if peak else ""
        yield "consensus", f"{short(row['consensus_distance'])}  norm ratio {short(row['norm_ratio'])}{memory}"
        stale = f"staleness median {short(spread[MEDIAN])}, 95 % at most {short(spread[UPPER])}"
        yield "nodes", f"online {_percent(row['online'])}  active {_percent(row['active'])}  {stale}"
        for kind in KINDS:
            if sent := row["messages_sent"][kind]:
                ends = "  ".join(
                    f"{word} {_percent(row[f'messages_{end}'][kind] / sent)}" for end, word in ENDS.items()
                )
                yield WORDS[kind], f"{ends}  {filesize.decimal(row['bytes_sent'][kind])} sent"


def _trend(before: float | None, now: float | None) -> str:
    if before is None or now is None or abs(now - before) <= STEADY * abs(before):
        return ""
    return "up" if now > before else "down"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"
