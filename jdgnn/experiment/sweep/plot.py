"""The plot of a sweep: scores over the values of its keys.

The numeric key with most values runs along x, colour and dash tell a second key, and each value of a third has a panel.
With more keys, or too many values for that, each key has a panel in which all combinations are dots.
"""

import html
import math
import textwrap
from collections.abc import Sequence
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


def plot(rows: Sequence[Row]) -> Plot:
    """Draws combinations that have finished runs; without any there is no panel."""
    rows = [row for row in rows if row.summaries]
    if not rows:
        return Plot([])
    baselines = [
        Series(name, GREYS[index // 2 % len(GREYS)], BASELINE_DASHES[index % len(BASELINE_DASHES)], "")
        for index, name in enumerate(dict.fromkeys(name for row in rows for name in row.baselines))
    ]
    table = _table(rows, baselines)
    limits = _limits(table, table[[one.name for one in baselines]].to_numpy(float))
    values = {key: _values(table[key]) for key, _ in rows[0].variant.settings}
    # numeric keys first, of those the one with most values, and the keys with fewest values last
    keys = sorted(values, key=lambda key: (not all(map(is_number, values[key])), -len(values[key])))
    names = short_keys(keys)
    series_key = keys[1] if len(keys) in (2, 3) and len(values[keys[1]]) <= MOST_LINES else ""
    fits = len(keys) == 1 or (series_key and (len(keys) == 2 or len(values[keys[2]]) <= MOST_PANELS))
    if not fits:
        return Plot([Panel(names[key], _dots(table, _axis(key, values[key]), limits)) for key in keys])
    series = [
        Series(value, COLOURS[index % len(COLOURS)], DASHES[index % len(DASHES)], SYMBOLS[index % len(SYMBOLS)])
        for index, value in enumerate(values[series_key] if series_key else [""])
    ]
    groups = {"": table}
    if len(keys) == 3:
        third = keys[2]
        groups = {f"{names[third]} {value}": table[table[third] == value] for value in values[third]}
    panels = []
    for title, group in groups.items():
        figure = _figure(group, axis := _axis(keys[0], values[keys[0]]), limits)
        figure.add_traces([_baseline_line(group, axis, one) for one in baselines])
        figure.add_traces(_lines(group, axis, series_key, series))
        panels.append(Panel(title, figure))
    outside = frozenset(one.name for one in baselines if not limits[0] <= table[one.name].mean() <= limits[1])
    return Plot(panels, names.get(series_key, ""), series if series_key else (), baselines, outside)


def _table(rows: Sequence[Row], baselines: Sequence[Series]) -> Any:
    """A line for each combination: its settings, the place and the text of its point, and its baselines in percent."""
    import pandas as pd

    lines = []
    for row in rows:
        height, spread = _height(row)
        metric = metric_name(row.metric) if row.metric else None
        known = row.baselines
        means = {one.name: 100 * known[one.name].mean if one.name in known else math.nan for one in baselines}
        hover = _hover(row, height, spread)
        point = {"height": height, "spread": spread, "metric": metric, "hover": hover}
        lines.append({**dict(row.variant.settings), **point, **means})
    return pd.DataFrame(lines)


def _values(column: Any) -> list[str]:
    """The values of a key, numbers in ascending order."""
    values = list(column.unique())
    return sorted(values, key=value_of) if all(map(is_number, values)) else values


def _height(row: Row) -> tuple[float, float]:
    """The learned score in percent, or the loss where nothing was evaluated, and its spread."""
    if row.learned is not None:
        return 100 * row.learned.mean, 100 * (row.learned.sd or 0.0)
    return (math.nan if row.loss is None else row.loss), 0.0


def _limits(table: Any, baselines: Any) -> tuple[float, float]:
    """The same for all panels: learned scores, the best baseline, and others that are not far below."""
    heights = [*(table.height - table.spread).dropna(), *(table.height + table.spread).dropna()] or [0.0, 1.0]
    best = [max(known) for means in baselines if (known := [mean for mean in means if not math.isnan(mean)])]
    low, high = min(heights + best), max(heights + best)
    near = (low - (high - low) / 2 <= baselines) & (baselines <= high)
    low = min([low, *baselines[near]])
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def _lines(table: Any, axis: Axis, series_key: str, series: Sequence[Series]) -> list[dict[str, Any]]:
    """A line for each value of the second key; dots where the first is no number."""
    places = axis.places.values()
    room = 0.012 * (max(places) - min(places)) if axis.are_numbers else 0.5 / len(series)
    traces = []
    for index, one in enumerate(series):
        found = table[table[series_key] == one.name] if series_key else table
        x = found[axis.key].map(axis.places).sort_values(kind="stable")
        found = found.loc[x.index]
        shift = room * (index - (len(series) - 1) / 2)  # so that bars do not hide each other
        traces.append(
            {
                "type": "scatter",
                "x": (x + shift).tolist(),
                "y": found.height.tolist(),
                "error_y": {"type": "data", "array": found.spread.tolist(), "thickness": 1.5, "width": 4},
                "mode": "lines+markers" if axis.are_numbers else "markers",
                "name": html.escape(one.name) or "learned",
                "line": {"color": one.colour, "dash": one.dash, "width": 2},
                "marker": {"color": one.colour, "symbol": one.symbol, "size": 9},
                "text": found.hover.tolist(),
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    return traces


def _dots(table: Any, axis: Axis, limits: tuple[float, float]) -> Any:
    """One panel of one key: a dot for each combination, and a line through the means at each value."""
    figure = _figure(table, axis, limits)
    figure.add_scatter(
        x=table[axis.key].map(axis.places).tolist(),
        y=table.height.tolist(),
        mode="markers",
        marker={"color": COLOURS[5], "size": 8, "line": {"color": COLOURS[0], "width": 1}, "opacity": 0.7},
        text=table.hover.tolist(),
        hovertemplate="%{text}<extra></extra>",
    )
    figure.add_scatter(
        x=list(axis.places.values()),
        y=table.groupby(axis.key).height.mean()[list(axis.places)].tolist(),
        mode="lines+markers" if axis.are_numbers else "markers",
        line={"color": COLOURS[1], "width": 2},
        marker={"color": COLOURS[1], "symbol": "line-ew-open", "size": 22, "line": {"width": 3}},
        hovertemplate="mean %{y:.1f}<extra></extra>",
    )
    return figure


def _baseline_line(table: Any, axis: Axis, one: Series) -> dict[str, Any]:
    """A level line where a baseline is the same for all, else a line through its means."""
    means = table.groupby(axis.key)[one.name].mean().dropna().rename(axis.places).sort_index()
    points = list(means.items())
    if not axis.are_numbers:  # a level for each word
        points = [point for place, mean in points for point in ((place - 0.5, mean), (place + 0.5, mean))]
    return {
        "type": "scatter",
        "x": [place for place, _ in points],
        "y": [mean for _, mean in points],
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


def _figure(table: Any, axis: Axis, limits: tuple[float, float]) -> Any:
    import plotly.graph_objects as go

    low, high = min(axis.places.values()), max(axis.places.values())
    margin = 0.08 * (high - low) or 0.5
    shown = _spaced(axis.places)
    y_title = " / ".join(sorted(table.metric.dropna().unique())) or "loss"
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
            "yaxis": {**style, "automargin": True, "title": {"text": y_title, "standoff": 6}, "range": list(limits)},
        }
    )


def _spaced(places: dict[str, float]) -> list[str]:
    """Values whose names do not overlap."""
    ordered = sorted(places, key=lambda value: places[value])
    room = (places[ordered[-1]] - places[ordered[0]]) / 10
    shown: list[str] = []
    for value in ordered:
        if not shown or places[value] - places[shown[-1]] >= room:
            shown.append(value)
    return shown


def _label(value: str) -> str:
    """A value in short lines.

    >>> _label('{name = "limited", limit = 3}')
    '{name =<br>"limited",<br>limit = 3}'
    """
    return html.escape("\n".join(textwrap.wrap(value, 12)[:4]), quote=False).replace("\n", "<br>")


def _hover(row: Row, height: float, spread: float) -> str:
    """The text at a pointer."""
    lines = [html.escape(f"{key} = {value}") for key, value in row.variant.settings]
    lines.append(f"{height:.4g}" + (f" ± {spread:.2g} over {len(row.summaries)} seeds" if spread else ""))
    if row.gain is not None:
        lines.append(f"{100 * row.gain.mean:+.1f} on the best baseline")
    return "<br>".join(lines)
