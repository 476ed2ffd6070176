"""The style of figures: colours for colour-blind readers, and dashes for print."""

import math
from typing import Any

from jdgnn.plot.style import COLOURS as OKABE_ITO

COLOURS = (*(shade for name, shade in OKABE_ITO.items() if name != "yellow"), "#999999")
"""Of Okabe and Ito, except for yellow, which is faint on white."""

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "triangle-down", "star")
INK, GRID, MUTED = "#1f2933", "#e3e8ee", "#52606d"
BASELINE_COLOURS = ("#d55e00", "#999999", "#cc79a7", "#e69f00", "#009e73", "#222222")

CLASSES = (
    *("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"),
    *("#222222", "#999999", "#7b5aa6", "#a6761d", "#1b9e9e", "#b2df8a"),
)
"""Of classes; more classes repeat them."""

Axis = dict[str, Any]
"""Settings of an axis, as plotly calls them."""


def colour(number: int) -> str:
    """The colour of the run with this number, from 0."""
    return COLOURS[number % len(COLOURS)]


def dash(number: int) -> str:
    """The dash of the layer, or the run, with this number, from 0."""
    return DASHES[number % len(DASHES)]


def faint(colour: str, opacity: float = 0.16) -> str:
    """A transparent colour, for bands."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def layout(
    x_title: str = "tick", y_title: str = "", *, xaxis: Axis | None = None, yaxis: Axis | None = None, **others: Any
) -> dict[str, Any]:
    """The layout of a figure, with more settings of its axes and of itself."""
    axis = {"gridcolor": GRID, "zerolinecolor": GRID, "linecolor": MUTED, "automargin": True, "ticks": "outside"}
    return {
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 16, "t": 30, "b": 44},
        "height": 300,
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        "xaxis": {**axis, "title": {"text": x_title, "standoff": 8}, **(xaxis or {})},
        "yaxis": {**axis, "title": {"text": y_title, "standoff": 8}, **(yaxis or {})},
        **others,
    }


def logarithmic(low: float, high: float) -> Axis:
    """A logarithmic axis that shows round numbers in full."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if last - first <= 4 else (1,)
    marks = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    shown = [mark for mark in marks if low / 2.5 <= mark <= high * 2.5]
    texts = [f"{mark:,.10g}" if mark >= 1e-4 else f"{mark:.0e}" for mark in shown]
    return {"type": "log", "tickvals": shown, "ticktext": texts}
