"""The plot of a sweep: what was learned over the values of its keys, as a figure for each panel.

The numeric key with most values runs along x, a second key is told by colour and dash, a third one has a panel for each
value. With more keys, or too many values for that, each key has a panel in which all combinations are dots.
"""

import html
import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from jdgnn.experiment.report.style import COLOURS, DASHES
from jdgnn.experiment.results.labels import embedding_name, metric_name
from jdgnn.experiment.sweep.grid import is_number, short_keys, typed
from jdgnn.experiment.sweep.results import Row

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down")
GREYS = ("#333333", "#707070", "#a0a0a0")
BASELINE_DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot", "5px,8px")

MOST_LINES, MOST_PANELS = 12, 12
DECADE = 9.99  # from 0.003 to 0.03 is one, whatever it rounds to


class Series(NamedTuple):
    """How one value of the second key is drawn, and what it is called."""

    name: str
    colour: str
    dash: str
    symbol: str


class Panel(NamedTuple):
    """A figure, and what stands above it."""

    title: str
    figure: Any


class Plot(NamedTuple):
    """All panels, and what lines mean in them."""

    panels: list[Panel]
    series_key: str  # empty if there is one line only
    series: list[Series]
    baselines: list[Series]
    outside: set[str]  # baselines that are too far away to be seen


def plot(rows: Sequence[Row]) -> Plot:
    """Draws combinations that have finished runs.

    Args:
      rows: of a sweep; those without finished runs are left out.

    Returns:
      The plot; without panels if there is nothing to show.
    """
    rows = [row for row in rows if row.summaries]
    if not rows:
        return Plot([], "", [], [], set())
    keys = _ordered([key for key, _ in rows[0].variant.settings], rows)
    values = {key: _values(rows, key) for key in keys}
    limits = _limits(rows)
    baselines = _baselines(rows)
    series_key = keys[1] if len(keys) in (2, 3) and len(values[keys[1]]) <= MOST_LINES else ""
    fits = len(keys) == 1 or (series_key and (len(keys) == 2 or len(values[keys[2]]) <= MOST_PANELS))
    if not fits:
        panels = [Panel(_name(keys, key), _dots(rows, key, limits)) for key in keys]
        return Plot(panels, "", [], [], set())
    series = _series(values[series_key]) if series_key else [Series("", COLOURS[0], DASHES[0], SYMBOLS[0])]
    groups = {
        f"{_name(keys, keys[2])} {value}": [row for row in rows if _value(row, keys[2]) == value]
        for value in (values[keys[2]] if len(keys) == 3 else [])
    } or {"": rows}
    panels = [
        Panel(title, _lines(group, keys[0], values[keys[0]], series_key, series, baselines, limits))
        for title, group in groups.items()
    ]
    means = {one.name: _baseline_mean(rows, one.name) for one in baselines}
    outside = {name for name, mean in means.items() if not limits[0] <= mean <= limits[1]}
    return Plot(panels, _name(keys, series_key) if series_key else "", series if series_key else [], baselines, outside)


def _name(keys: Sequence[str], key: str) -> str:
    return short_keys(keys)[key]


def _value(row: Row, key: str) -> str:
    return dict(row.variant.settings)[key]


def _values(rows: Sequence[Row], key: str) -> list[str]:
    """The values that a key takes, numbers in ascending order."""
    values = list(dict.fromkeys(_value(row, key) for row in rows))
    return sorted(values, key=typed) if all(map(is_number, values)) else values


def _ordered(keys: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """Numeric keys first, of those the one with most values, and the keys with fewest values last."""

    def rank(key: str) -> tuple[bool, int]:
        values = _values(rows, key)
        return not all(map(is_number, values)), -len(values)

    return sorted(keys, key=rank)


def _series(values: Sequence[str]) -> list[Series]:
    return [
        Series(value, COLOURS[index % len(COLOURS)], DASHES[index % len(DASHES)], SYMBOLS[index % len(SYMBOLS)])
        for index, value in enumerate(values)
    ]


def _baselines(rows: Sequence[Row]) -> list[Series]:
    names = list(dict.fromkeys(name for row in rows for name in row.baselines))
    return [
        Series(name, GREYS[index // 2 % len(GREYS)], BASELINE_DASHES[index % len(BASELINE_DASHES)], "")
        for index, name in enumerate(names)
    ]


def _baseline_mean(rows: Sequence[Row], name: str) -> float:
    known = [100 * row.baselines[name].mean for row in rows if name in row.baselines]
    return sum(known) / len(known)


def height_of(row: Row) -> tuple[float, float]:
    """What is drawn of a row, and its spread: what was learned in percent, or the loss where nothing was evaluated."""
    if row.learned is not None:
        return 100 * row.learned.mean, 100 * (row.learned.sd or 0.0)
    return (math.nan if row.loss is None else row.loss), 0.0


def height_name(rows: Sequence[Row]) -> str:
    """What is drawn, in words."""
    metrics = {metric_name(row.metric) for row in rows if row.metric}
    return " / ".join(sorted(metrics)) or "loss"


def _limits(rows: Sequence[Row]) -> tuple[float, float]:
    """The same for all panels: all that was learned, the best baseline, and others that are not far away."""
    heights = [mean + sign * spread for row in rows for mean, spread in [height_of(row)] for sign in (-1, 1)]
    known = [height for height in heights if math.isfinite(height)] or [0.0, 1.0]
    baselines = [100 * one.mean for row in rows for one in row.baselines.values()]
    best = [max(100 * one.mean for one in row.baselines.values()) for row in rows if row.baselines]
    low, high = min(known + best), max(known + best)
    near = [height for height in baselines if low - (high - low) / 2 <= height <= high]
    low = min([low, *near])
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def _lines(
    rows: Sequence[Row],
    key: str,
    values: Sequence[str],
    series_key: str,
    series: Sequence[Series],
    baselines: Sequence[Series],
    limits: tuple[float, float],
) -> Any:
    """One panel: a line for each value of the second key; dots where the first is no number."""
    import plotly.graph_objects as go

    figure = _figure(key, values, limits, height_name(rows))
    places = _places(values)
    for one in baselines:
        figure.add_trace(go.Scatter(**_baseline_line(rows, key, places, one)))
    are_numbers = all(map(is_number, values))
    room = 0.012 * (max(places.values()) - min(places.values())) if are_numbers else 0.5 / len(series)
    for index, one in enumerate(series):
        found = [row for row in rows if not series_key or _value(row, series_key) == one.name]
        found.sort(key=lambda row: places[_value(row, key)])
        shift = room * (index - (len(series) - 1) / 2)  # so that bars can be told apart
        heights = [height_of(row) for row in found]
        figure.add_trace(
            go.Scatter(
                x=[places[_value(row, key)] + shift for row in found],
                y=[mean for mean, _ in heights],
                error_y={"type": "data", "array": [spread for _, spread in heights], "thickness": 1.5, "width": 4},
                mode="lines+markers" if are_numbers else "markers",
                name=html.escape(one.name) or "learned",
                line={"color": one.colour, "dash": one.dash, "width": 2},
                marker={"color": one.colour, "symbol": one.symbol, "size": 9},
                text=[_told(row) for row in found],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    return figure


def _dots(rows: Sequence[Row], key: str, limits: tuple[float, float]) -> Any:
    """One panel of one key: a dot for each combination, and a line through the means at each value."""
    import plotly.graph_objects as go

    values = _values(rows, key)
    figure, places = _figure(key, values, limits, height_name(rows)), _places(values)
    figure.add_trace(
        go.Scatter(
            x=[places[_value(row, key)] for row in rows],
            y=[height_of(row)[0] for row in rows],
            mode="markers",
            marker={"color": COLOURS[5], "size": 8, "line": {"color": COLOURS[0], "width": 1}, "opacity": 0.7},
            text=[_told(row) for row in rows],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    groups = {value: [height_of(row)[0] for row in rows if _value(row, key) == value] for value in values}
    figure.add_trace(
        go.Scatter(
            x=[places[value] for value in groups],
            y=[sum(heights) / len(heights) for heights in groups.values()],
            mode="lines+markers" if all(map(is_number, values)) else "markers",
            line={"color": COLOURS[1], "width": 2},
            marker={"color": COLOURS[1], "symbol": "line-ew-open", "size": 22, "line": {"width": 3}},
            hovertemplate="mean %{y:.1f}<extra></extra>",
        )
    )
    return figure


def _baseline_line(rows: Sequence[Row], key: str, places: dict[str, float], one: Series) -> dict[str, Any]:
    """A level line where a baseline is the same for all, else a line through its means."""
    at = {
        value: [100 * row.baselines[one.name].mean for row in rows if _value(row, key) == value and row.task]
        for value in places
    }
    means = sorted((places[value], sum(known) / len(known)) for value, known in at.items() if known)
    if not all(map(is_number, places)):  # a level for each word
        means = [point for place, mean in means for point in ((place - 0.5, mean), (place + 0.5, mean))]
    return {
        "x": [place for place, _ in means],
        "y": [mean for _, mean in means],
        "mode": "lines",
        "name": embedding_name(one.name),
        "line": {"color": one.colour, "dash": one.dash, "width": 1.5},
        "hovertemplate": f"{embedding_name(one.name)} %{{y:.1f}}<extra></extra>",
    }


def _places(values: Sequence[str]) -> dict[str, float]:
    """Where values stand along x: numbers where they are, by their logarithm if they span a decade or more."""
    if not all(map(is_number, values)):
        return {value: float(index) for index, value in enumerate(values)}
    numbers = {value: float(typed(value)) for value in values}
    if min(numbers.values()) > 0 and max(numbers.values()) >= DECADE * min(numbers.values()):
        return {value: math.log10(number) for value, number in numbers.items()}
    return numbers


def _figure(key: str, values: Sequence[str], limits: tuple[float, float], height: str) -> Any:
    import plotly.graph_objects as go

    places = _places(values)
    shown = _spaced(places)
    low, high = min(places.values()), max(places.values())
    margin = 0.08 * (high - low) or 0.5
    axis = {"showgrid": True, "gridcolor": "#e6e6e6", "zeroline": False, "linecolor": "#444444", "ticks": "outside"}
    return go.Figure(
        layout={
            "template": "none",
            "showlegend": False,
            "height": 380,
            "margin": {"l": 55, "r": 12, "t": 10, "b": 55},
            "font": {"family": "system-ui, sans-serif", "size": 14, "color": "#222222"},
            "hoverlabel": {"align": "left"},
            "xaxis": {
                **axis,
                "automargin": True,
                "title": {"text": html.escape(key), "standoff": 8},
                "tickvals": [place for _, place in shown],
                "ticktext": [_label(value) for value, _ in shown],
                "range": [low - margin, high + margin] if all(map(is_number, values)) else [-0.5, len(values) - 0.5],
            },
            "yaxis": {**axis, "title": {"text": height, "standoff": 6}, "range": list(limits)},
        }
    )


def _spaced(places: dict[str, float]) -> Iterator[tuple[str, float]] | list[tuple[str, float]]:
    """Values whose names do not run into each other."""
    ordered = sorted(places.items(), key=lambda item: item[1])
    room = (ordered[-1][1] - ordered[0][1]) / 10
    shown: list[tuple[str, float]] = []
    for value, place in ordered:
        if not shown or place - shown[-1][1] >= room:
            shown.append((value, place))
    return shown


def _label(value: str) -> str:
    """A value in short lines.

    >>> _label("0.01"), _label('{name = "limited", limit = 3}')
    ('0.01', '{name =<br>"limited",<br>limit = 3}')
    """
    return html.escape("\n".join(textwrap.wrap(value, 12)[:4]), quote=False).replace("\n", "<br>")


def _told(row: Row) -> str:
    """What a pointer shows."""
    mean, spread = height_of(row)
    lines = [html.escape(f"{key} = {value}") for key, value in row.variant.settings]
    lines.append(f"{mean:.4g}" + (f" ± {spread:.2g} over {len(row.summaries)} seeds" if spread else ""))
    if row.gain is not None:
        lines.append(f"{100 * row.gain.mean:+.1f} on the best baseline")
    return "<br>".join(lines)
