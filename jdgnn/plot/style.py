"""Colours, dashes and markers, which are told apart without colour vision and in grey print.

Source: Okabe & Ito, "Color Universal Design" (2008): https://jfly.uni-koeln.de/color/.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

COLOURS = {
    "blue": "#0072b2",
    "vermilion": "#d55e00",
    "green": "#009e73",
    "purple": "#cc79a7",
    "orange": "#e69f00",
    "sky": "#56b4e9",
    "black": "#000000",
    "yellow": "#f0e442",
}
"""In the order in which they are taken: yellow, which is faint on white, last."""

GREY = "#7f7f7f"
"""What has no colour of its own, as controls."""

NUMBERS = "cividis"
"""The colour map of numbers."""

DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (1, 1.2)),
    (0, (5, 1.5, 1, 1.5)),
    (0, (9, 2)),
    (0, (3, 1.2, 1, 1.2, 1, 1.2)),
)
MARKERS = ("o", "^", "s", "D", "v", "P")


class Look(NamedTuple):
    """How one of several things is drawn."""

    colour: str
    dash: Any
    marker: str


def look(index: int) -> Look:
    """The look of thing number `index`: colours repeat after eight, dashes and markers after six.

    Example:
      >>> look(0)
      Look(colour='#0072b2', dash='-', marker='o')
      >>> look(8).colour == look(0).colour, look(8).marker == look(0).marker
      (True, False)
    """
    colours = tuple(COLOURS.values())
    return Look(colours[index % len(colours)], DASHES[index % len(DASHES)], MARKERS[index % len(MARKERS)])


def mark(index: int) -> tuple[str, str]:
    """Colour and marker of category number `index`: another marker where colours repeat.

    Example:
      >>> mark(0), mark(8)
      (('#0072b2', 'o'), ('#0072b2', '^'))
    """
    colours = tuple(COLOURS.values())
    return colours[index % len(colours)], MARKERS[index // len(colours) % len(MARKERS)]


def lightened(colour: str, share: float) -> str:
    """A colour mixed with a share of white.

    >>> lightened("#000000", 0.5)
    '#808080'
    """
    parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(part + share * (255 - part)):02x}" for part in parts)


def limits(values: NDArray[np.float64]) -> tuple[dict[str, float], str]:
    """Where colours begin and end, so that few extreme values do not leave all others alike.

    Returns:
      `vmin` and `vmax`, at the quantiles of 1 and 99 % of the finite values, where that leaves a range; and at which
      ends there are values beyond.

    Example:
      >>> limits(np.arange(101.0))
      ({'vmin': 1.0, 'vmax': 99.0}, 'both')
      >>> limits(np.ones(3))
      ({}, 'neither')
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return {}, "neither"
    low, high = (float(value) for value in np.quantile(known, (0.01, 0.99)))
    if low == high:
        return {}, "neither"
    beyond = (bool(known.min() < low), bool(known.max() > high))
    extend = {(True, True): "both", (True, False): "min", (False, True): "max", (False, False): "neither"}[beyond]
    return {"vmin": low, "vmax": high}, extend
