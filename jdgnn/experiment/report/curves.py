"""Lines over ticks, with bands."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.experiment.report.style import faint
from jdgnn.experiment.report.variants import Series

Trace = dict[str, Any]


def lines(series: Series, name: str, colour: str, *, dash: str = "solid", markers: bool = False) -> list[Trace]:
    """A line, and the band around it if there is one.

    Args:
      series: what to draw.
      name: for the legend.
      colour: of both.
      dash: of the line.
      markers: whether each point is marked.
    """
    band: list[Trace] = []
    if series.low is not None and series.high is not None and not np.array_equal(series.low, series.high):
        shared = {
            "type": "scatter",
            "x": series.ticks,
            "mode": "lines",
            "line": {"width": 0},
            "hoverinfo": "skip",
            "showlegend": False,
            "legendgroup": name,
        }
        band = [
            {**shared, "y": missing(series.low)},
            {**shared, "y": missing(series.high), "fill": "tonexty", "fillcolor": faint(colour)},
        ]
    line = {
        "type": "scatter",
        "x": series.ticks,
        "y": missing(series.middle),
        "mode": "lines+markers" if markers or len(series.ticks) < 2 else "lines",
        "name": name,
        "legendgroup": name,
        "line": {"color": colour, "dash": dash, "width": 2},
        "marker": {"size": 6},
        "hovertemplate": "%{y:.4g}",
    }
    return [*band, line]


def missing(values: NDArray[np.float64]) -> list[float | None]:
    """Numbers for plotly, which leaves gaps for None.

    >>> missing(np.array([0.5, np.nan]))
    [0.5, None]
    """
    return [float(value) if np.isfinite(value) else None for value in values]


def has_any(all_series: Sequence[Series]) -> bool:
    """Whether there is anything to draw."""
    return any(np.isfinite(series.middle).any() for series in all_series)
