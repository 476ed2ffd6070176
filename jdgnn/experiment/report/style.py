"""How figures of a report look: colours that the colour-blind tell apart, dashes that print tells apart."""

from typing import Any

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#222222", "#999999")
"""Of Okabe and Ito, the light yellow left out."""

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "triangle-down", "star")
INK, GRID, MUTED = "#1f2933", "#e3e8ee", "#52606d"
CONTROL = "#52606d"

CLASSES = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#222222",
    "#999999",
    "#7b5aa6",
    "#a6761d",
    "#1b9e9e",
    "#b2df8a",
)
"""Of classes; they repeat where there are more."""


def colour(number: int) -> str:
    """The colour of the run with this number, from 0."""
    return COLOURS[number % len(COLOURS)]


def dash(number: int) -> str:
    """The dash of the layer, or the run, with this number, from 0."""
    return DASHES[number % len(DASHES)]


def faint(colour: str, opacity: float = 0.16) -> str:
    """A colour for bands.

    >>> faint("#0072b2")
    'rgba(0,114,178,0.16)'
    """
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def layout(title: str, x_title: str = "tick", y_title: str = "", **others: Any) -> dict[str, Any]:
    """The layout of a figure."""
    axis = {"gridcolor": GRID, "zerolinecolor": GRID, "linecolor": MUTED, "automargin": True, "ticks": "outside"}
    return {
        "title": {"text": title, "x": 0, "xref": "container", "pad": {"l": 4}, "font": {"size": 15}},
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 16, "t": 44, "b": 48},
        "height": 340,
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0},
        "xaxis": {**axis, "title": {"text": x_title}},
        "yaxis": {**axis, "title": {"text": y_title}},
        **others,
    }
