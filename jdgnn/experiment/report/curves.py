"""Lines over ticks, with bands, and bars."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.experiment.report.style import colour, dash, faint
from jdgnn.experiment.report.variants import Series, Variant

Trace = dict[str, Any]


def lines(series: Series, name: str, colour: str, *, dash: str = "solid", markers: bool = False) -> list[Trace]:
    """A line with this name in the legend, and its band, if it has one."""
    band: list[Trace] = []
    shared = {"type": "scatter", "x": series.ticks, "legendgroup": name}
    if series.low is not None and series.high is not None and not np.array_equal(series.low, series.high):
        edge = {**shared, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        band = [
            {**edge, "y": missing(series.low)},
            {**edge, "y": missing(series.high), "fill": "tonexty", "fillcolor": faint(colour)},
        ]
    line = {
        **shared,
        "y": missing(series.middle),
        "mode": "lines+markers" if markers or len(series.ticks) < 2 else "lines",
        "name": name,
        "line": {"color": colour, "dash": dash, "width": 2},
        "marker": {"size": 6},
        "hovertemplate": "%{y:.4g}",
    }
    return [*band, line]


def bars(name: str, x: Sequence[Any], y: Sequence[Any], colour: str, hover: str, **others: Any) -> Trace:
    """Bars with this name in the legend."""
    marker = {"color": colour, **others.pop("marker", {})}
    return {"type": "bar", "name": name, "x": x, "y": y, "marker": marker, "hovertemplate": hover, **others}


def lines_of_each(variants: Sequence[Variant], found: Sequence[Mapping[str, Series]]) -> list[Trace]:
    """Several lines of each variant; the dash distinguishes them, and for a single variant also the colour."""
    return [
        trace
        for number, (variant, of_variant) in enumerate(zip(variants, found, strict=True))
        for index, (name, series) in enumerate(of_variant.items())
        for trace in lines(
            series, f"{variant.prefix}{name}", colour(number if variant.prefix else index), dash=dash(index)
        )
    ]


def missing(values: NDArray[np.float64]) -> list[float | None]:
    """Numbers for plotly, which leaves gaps for None."""
    return [float(value) if np.isfinite(value) else None for value in values]


def has_any(all_series: Sequence[Series]) -> bool:
    """Whether there is anything to draw."""
    return any(np.isfinite(series.middle).any() for series in all_series)
