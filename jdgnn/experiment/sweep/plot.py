"""The plot of a sweep: scores over the values of its keys.

The numeric key with most values runs along x, colour and dash tell a second key, and each value of a third has a panel.
With more keys, or too many values for that, each key has a panel in which all combinations are dots.
"""

import html
import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from jdgnn.experiment.config.overrides import value_of
from jdgnn.experiment.report.style import COLOURS, DASHES
from jdgnn.experiment.results.labels import embedding_name, metric_name
from jdgnn.experiment.sweep.grid import is_number, short_keys
from jdgnn.experiment.sweep.results import Row

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down")
GREYS = ("#333333", "#707070", "#a0a0a0")
BASELINE_DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot", "5px,8px")

MOST_LINES, MOST_PANELS = 12, 12
DECADE = 9.99  # from 0.003 to 0.03 is one, however it rounds


class Series(NamedTuple):
    """The style of one value of the second key, or of a baseline, and its name."""

    name: str
    colour: str
    dash: str
    symbol: str


class Panel(NamedTuple):
    """A figure, and its title."""

    title: str
    figure: Any


class Plot(NamedTuple):
    """All panels, and the meaning of lines in them."""

    panels: list[Panel]
    series_key: str = ""  # empty if there is one line only
    series: Sequence[Series] = ()
    baselines: Sequence[Series] = ()
    outside: frozenset[str] = frozenset()  # baselines that are too far away to be seen


class Axis(NamedTuple):
    """The values of a key along x."""

    key: str
    places: dict[str, float]  # of each value
    are_numbers: bool

    def place(self, row: Row) -> float:
        """The place of a combination."""
        return self.places[_value(row, self.key)]


def plot(rows: Sequence[Row]) -> Plot:
    """Draws combinations that have finished runs; without any there is no panel."""
    rows = [row for row in rows if row.summaries]
    if not rows:
        return Plot([])
    keys = _ordered([key for key, _ in rows[0].variant.settings], rows)
    names, values, limits = short_keys(keys), {key: _values(rows, key) for key in keys}, _limits(rows)
    series_key = keys[1] if len(keys) in (2, 3) and len(values[keys[1]]) <= MOST_LINES else ""
    fits = len(keys) == 1 or (series_key and (len(keys) == 2 or len(values[keys[2]]) <= MOST_PANELS))
    if not fits:
        return Plot([Panel(names[key], _dots(rows, _axis(key, values[key]), limits)) for key in keys])
    baselines = [
        Series(name, GREYS[index // 2 % len(GREYS)], BASELINE_DASHES[index % len(BASELINE_DASHES)], "")
        for index, name in enumerate(dict.fromkeys(name for row in rows for name in row.baselines))
    ]
    series = [
        Series(value, COLOURS[index % len(COLOURS)], DASHES[index % len(DASHES)], SYMBOLS[index % len(SYMBOLS)])
        for index, value in enumerate(values[series_key] if series_key else [""])
    ]
    groups = {"": rows}
    if len(keys) == 3:
        third = keys[2]
        groups = {f"{names[third]} {one}": [row for row in rows if _value(row, third) == one] for one in values[third]}
    axis = _axis(keys[0], values[keys[0]])
    panels = [
        Panel(title, _lines(group, axis, series_key, series, baselines, limits)) for title, group in groups.items()
    ]
    means = {
        one.name: _mean(row.baselines[one.name].mean for row in rows if one.name in row.baselines) for one in baselines
    }
    outside = frozenset(name for name, mean in means.items() if not limits[0] <= 100 * mean <= limits[1])
    return Plot(panels, names.get(series_key, ""), series if series_key else (), baselines, outside)


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return sum(known) / len(known)


def _value(row: Row, key: str) -> str:
    return dict(row.variant.settings)[key]


def _values(rows: Sequence[Row], key: str) -> list[str]:
    """The values of a key, numbers in ascending order."""
    values = list(dict.fromkeys(_value(row, key) for row in rows))
    return sorted(values, key=value_of) if all(map(is_number, values)) else values


def _ordered(keys: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """Numeric keys first, of those the one with most values, and the keys with fewest values last."""

    def rank(key: str) -> tuple[bool, int]:
        values = _values(rows, key)
        return not all(map(is_number, values)), -len(values)

    return sorted(keys, key=rank)


def _height(row: Row) -> tuple[float, float]:
    """The learned score in percent, or the loss where nothing was evaluated, and its spread."""
    if row.learned is not None:
        return 100 * row.learned.mean, 100 * (row.learned.sd or 0.0)
    return (math.nan if row.loss is None else row.loss), 0.0


def _limits(rows: Sequence[Row]) -> tuple[float, float]:
    """The same for all panels: learned scores, the best baseline, and others that are not far below."""
    heights = [mean + sign * spread for row in rows for mean, spread in [_height(row)] for sign in (-1, 1)]
    known = [height for height in heights if math.isfinite(height)] or [0.0, 1.0]
    baselines = [100 * one.mean for row in rows for one in row.baselines.values()]
    best = [max(100 * one.mean for one in row.baselines.values()) for row in rows if row.baselines]
    low, high = min(known + best), max(known + best)
    low = min([low, *(height for height in baselines if low - (high - low) / 2 <= height <= high)])
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def _lines(
    rows: Sequence[Row],
    axis: Axis,
    series_key: str,
    series: Sequence[Series],
    baselines: Sequence[Series],
    limits: tuple[float, float],
) -> Any:
    """One panel: a line for each value of the second key; dots where the first is no number."""
    figure = _figure(rows, axis, limits)
    for one in baselines:
        figure.add_scatter(**_baseline_line(rows, axis, one))
    places = axis.places.values()
    room = 0.012 * (max(places) - min(places)) if axis.are_numbers else 0.5 / len(series)
    for index, one in enumerate(series):
        found = [row for row in rows if not series_key or _value(row, series_key) == one.name]
        found.sort(key=axis.place)
        shift = room * (index - (len(series) - 1) / 2)  # so that bars do not hide each other
        heights = [_height(row) for row in found]
        figure.add_scatter(
            x=[axis.place(row) + shift for row in found],
            y=[mean for mean, _ in heights],
            error_y={"type": "data", "array": [spread for _, spread in heights], "thickness": 1.5, "width": 4},
            mode="lines+markers" if axis.are_numbers else "markers",
            name=html.escape(one.name) or "learned",
            line={"color": one.colour, "dash": one.dash, "width": 2},
            marker={"color": one.colour, "symbol": one.symbol, "size": 9},
            text=[_hover(row) for row in found],
            hovertemplate="%{text}<extra></extra>",
        )
    return figure


def _dots(rows: Sequence[Row], axis: Axis, limits: tuple[float, float]) -> Any:
    """One panel of one key: a dot for each combination, and a line through the means at each value."""
    figure = _figure(rows, axis, limits)
    figure.add_scatter(
        x=[axis.place(row) for row in rows],
        y=[_height(row)[0] for row in rows],
        mode="markers",
        marker={"color": COLOURS[5], "size": 8, "line": {"color": COLOURS[0], "width": 1}, "opacity": 0.7},
        text=[_hover(row) for row in rows],
        hovertemplate="%{text}<extra></extra>",
    )
    figure.add_scatter(
        x=list(axis.places.values()),
        y=[_mean(_height(row)[0] for row in rows if _value(row, axis.key) == value) for value in axis.places],
        mode="lines+markers" if axis.are_numbers else "markers",
        line={"color": COLOURS[1], "width": 2},
        marker={"color": COLOURS[1], "symbol": "line-ew-open", "size": 22, "line": {"width": 3}},
        hovertemplate="mean %{y:.1f}<extra></extra>",
    )
    return figure


def _baseline_line(rows: Sequence[Row], axis: Axis, one: Series) -> dict[str, Any]:
    """A level line where a baseline is the same for all, else a line through its means."""
    at = {
        value: [100 * row.baselines[one.name].mean for row in rows if _value(row, axis.key) == value and row.task]
        for value in axis.places
    }
    means = sorted((axis.places[value], _mean(known)) for value, known in at.items() if known)
    if not axis.are_numbers:  # a level for each word
        means = [point for place, mean in means for point in ((place - 0.5, mean), (place + 0.5, mean))]
    return {
        "x": [place for place, _ in means],
        "y": [mean for _, mean in means],
        "mode": "lines",
        "name": embedding_name(one.name),
        "line": {"color": one.colour, "dash": one.dash, "width": 1.5},
        "hovertemplate": f"{embedding_name(one.name)} %{{y:.1f}}<extra></extra>",
    }


def _axis(key: str, values: Sequence[str]) -> Axis:
    """Numbers stand where they are, by their logarithm if they span a decade or more; words side by side."""
    if not all(map(is_number, values)):
        return Axis(key, {value: float(index) for index, value in enumerate(values)}, False)
    numbers = {value: float(value_of(value)) for value in values}
    if min(numbers.values()) > 0 and max(numbers.values()) >= DECADE * min(numbers.values()):
        numbers = {value: math.log10(number) for value, number in numbers.items()}
    return Axis(key, numbers, True)


def _figure(rows: Sequence[Row], axis: Axis, limits: tuple[float, float]) -> Any:
    import plotly.graph_objects as go

    low, high = min(axis.places.values()), max(axis.places.values())
    margin = 0.08 * (high - low) or 0.5
    shown = _spaced(axis.places)
    metrics = {metric_name(row.metric) for row in rows if row.metric}
    style = {"showgrid": True, "gridcolor": "#e6e6e6", "zeroline": False, "linecolor": "#444444", "ticks": "outside"}
    return go.Figure(
        layout={
            "template": "none",
            "showlegend": False,
            "height": 380,
            "margin": {"l": 55, "r": 12, "t": 10, "b": 55},
            "font": {"family": "system-ui, sans-serif", "size": 14, "color": "#222222"},
            "hoverlabel": {"align": "left"},
            "xaxis": {
                **style,
                "automargin": True,
                "title": {"text": html.escape(axis.key), "standoff": 8},
                "tickvals": [axis.places[value] for value in shown],
                "ticktext": [_label(value) for value in shown],
                "range": [low - margin, high + margin] if axis.are_numbers else [-0.5, high + 0.5],
            },
            "yaxis": {
                **style,
                "title": {"text": " / ".join(sorted(metrics)) or "loss", "standoff": 6},
                "range": list(limits),
            },
        }
    )


def _spaced(places: dict[str, float]) -> list[str]:
    """Values whose names do not overlap."""
    ordered = sorted(places.items(), key=lambda item: item[1])
    room = (ordered[-1][1] - ordered[0][1]) / 10
    shown: list[str] = []
    for value, place in ordered:
        if not shown or place - places[shown[-1]] >= room:
            shown.append(value)
    return shown


def _label(value: str) -> str:
    """A value in short lines.

    >>> _label("0.01"), _label('{name = "limited", limit = 3}')
    ('0.01', '{name =<br>"limited",<br>limit = 3}')
    """
    return html.escape("\n".join(textwrap.wrap(value, 12)[:4]), quote=False).replace("\n", "<br>")


def _hover(row: Row) -> str:
    """The text at a pointer."""
    mean, spread = _height(row)
    lines = [html.escape(f"{key} = {value}") for key, value in row.variant.settings]
    lines.append(f"{mean:.4g}" + (f" ± {spread:.2g} over {len(row.summaries)} seeds" if spread else ""))
    if row.gain is not None:
        lines.append(f"{100 * row.gain.mean:+.1f} on the best baseline")
    return "<br>".join(lines)
