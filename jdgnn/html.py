"""Pieces of HTML that notebooks show in place of a text.

Everything that comes from outside is escaped, nothing is loaded from elsewhere, and colours are those of the page, dark
or light.
"""

import html
import math
from collections.abc import Iterable, Sequence

from jdgnn.errors import printable

CELL = "text-align:left;padding:1px 12px 1px 0;border:none;vertical-align:top"
SIDE = f"{CELL};opacity:0.7;white-space:nowrap"
WIDTH, HEIGHT = 150, 30
"""Of a sparkline, in pixels."""
MOST_POINTS = 300
"""Of a sparkline: more are thinned out."""


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Piece = str | int | float | None


def escaped(piece: Piece) -> Html:
    """Anything as HTML: text escaped, numbers in words, a dash for what is missing; HTML stays.

    >>> escaped("<b>"), escaped(1234567), escaped(0.000123456), escaped(None)
    ('&lt;b&gt;', '1,234,567', '0.000123', '-')
    """
    if isinstance(piece, Html):
        return piece
    if piece is None or (isinstance(piece, float) and math.isnan(piece)):
        return Html("-")
    if isinstance(piece, str):
        return Html(html.escape(printable(piece)))
    return Html(f"{piece:,}" if isinstance(piece, int) else f"{piece:.3g}")


def table(rows: Iterable[Sequence[Piece]], head: Sequence[Piece] = ()) -> Html:
    """A table whose rows begin with what they are about.

    >>> "<td" in table([("nodes", 3)])
    True
    """
    lines = ["".join(f'<th style="{SIDE};font-weight:normal">{escaped(cell)}</th>' for cell in head)] if head else []
    for first, *rest in rows:
        cells = "".join(f'<td style="{CELL}">{escaped(cell)}</td>' for cell in rest)
        lines.append(f'<td style="{SIDE}">{escaped(first)}</td>{cells}')
    body = "".join(f'<tr style="background:none">{line}</tr>' for line in lines)
    return Html(
        f'<table style="border:none;border-collapse:collapse;margin:2px 0;color:inherit;font:inherit">{body}</table>'
    )


def block(title: str, *parts: Html) -> str:
    """What stands for one thing: a title in bold, and parts below it."""
    inner = "".join(parts)
    return f'<div style="line-height:1.35"><div><b>{escaped(title)}</b></div>{inner}</div>'


def caption(text: str) -> Html:
    """A line above a table."""
    return Html(f'<div style="margin-top:6px;opacity:0.7">{escaped(text)}</div>')


def sparkline(values: Sequence[float | None], name: str) -> Html:
    """A small line of a figure over time, from its least to its greatest value; what is missing leaves a gap.

    Args:
      values: the figures; None or NaN for what is missing.
      name: what they are, for those who cannot see it.

    Returns:
      An inline SVG image in the colour of the text.

    Example:
      >>> sparkline([1.0, 2.0, None, 4.0, 3.0], "loss").count("<polyline")
      2
    """
    step = -(-len(values) // MOST_POINTS) or 1
    shown = [None if value is None or not math.isfinite(value) else value for value in values[::step]]
    known = [value for value in shown if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    points = [
        None
        if value is None
        else (
            2 + (WIDTH - 4) * index / max(len(shown) - 1, 1),
            HEIGHT - 3 - (HEIGHT - 6) * ((value - low) / (high - low) if high > low else 0.5),
        )
        for index, value in enumerate(shown)
    ]
    lines = "".join(map(_line, _runs(points)))
    return Html(
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escaped(name)}" style="vertical-align:middle">{lines}</svg>'
    )


def _runs(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """Points that follow one another without a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is not None:
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _line(run: list[tuple[float, float]]) -> str:
    if len(run) == 1:
        return f'<circle cx="{run[0][0]:.1f}" cy="{run[0][1]:.1f}" r="1.5" fill="currentColor"/>'
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
    return f'<polyline points="{places}" fill="none" stroke="currentColor" stroke-width="1.3"/>'
