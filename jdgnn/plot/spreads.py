"""How a figure is spread over the nodes, over time: staleness above all.

Axes: T ticks, N nodes, R records, Q quantiles.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.checks import check_flag, check_not_consumed
from jdgnn.deprecated import old_arguments
from jdgnn.emulation.metrics import QUANTILES
from jdgnn.errors import InputError, suggestion
from jdgnn.plot import axes, style
from jdgnn.plot.rows import Rows, are_rows, rows_of, ticks_of

IN_WORDS = {
    "age": "age, updates",
    "bytes_delivered": "bytes delivered to a node",
    "bytes_sent": "bytes sent by a node",
    "distance": "distance from the mean model",
    "norm_ratio": "norm ratio",
    "staleness": "staleness, ticks",
    "wakes": "wakes",
}
BANDS = ((1, 5, 0.75), (2, 4, 0.45))
"""Places of quantiles that bound a band, the outer first, and how much white is in its colour."""

BOUND = 5
"""Place of the quantile at which the colours of a heat map end: 95 %, so that few nodes do not darken all others."""

FORMS = ("fan", "heat")


@old_arguments(figure="metric")
def staleness(
    given: Rows | ArrayLike,
    ax: Any = None,
    *,
    metric: str = "staleness",
    form: str = "fan",
    ticks: ArrayLike | None = None,
    sort: bool = True,
) -> Any:
    """Draws how old what nodes used of their neighbours was, over time.

    Of a history, which keeps quantiles over nodes, either a `fan`: the median, bands from 25 to 75 and from 5 to 95 %,
    and the least and the greatest as thin lines; or a `heat` map with the share of nodes on the y axis, whose colour
    says that so many nodes had at most this. Of an array, a heat map with a row for each node.

    Args:
      given: a `jdgnn.History`, its rows, or a figure of each node at each tick, real numbers [T, N], not finite where
        there is none.
      ax: the Axes to draw on; None for a new figure.
      metric: of a history, one of its `quantiles`: `staleness`, `age`, `wakes`, `distance`, `norm_ratio`, `bytes_sent`,
        `bytes_delivered`; of an array, what the colour bar says.
      form: of a history, `fan` or `heat`.
      ticks: of an array, the tick of each row [T]; None for 1, 2, ….
      sort: of an array, whether nodes are drawn in the order of their means rather than of their numbers.

    Returns:
      The Axes.

    Raises:
      InputError: Matplotlib is missing, or an argument is invalid.

    Example:
      >>> import matplotlib; matplotlib.use("agg")
      >>> staleness([[1, 1, 2], [1, 3, 2]]).get_ylabel()
      'node, stalest above'
    """
    ax = axes.taken(ax)
    check_flag("sort", sort)
    if form not in FORMS:
        raise InputError(f"form: got {form!r}; {suggestion(str(form), FORMS)}")
    label = IN_WORDS.get(metric, metric)
    if not are_rows(given):
        return _draw_nodes(ax, *_checked(given, ticks), label, sort)
    if ticks is not None:
        raise InputError("ticks: got some together with a history, which has its own; leave them out")
    rows = rows_of("given", given)
    spread = _quantiles(rows, metric)
    at = ticks_of(rows)
    if form == "fan":
        return _draw_fan(ax, at, spread, label)
    return _draw_quantiles(ax, at, spread, label)


def _draw_fan(ax: Any, ticks: NDArray[np.int64], spread: NDArray[np.float64], label: str) -> Any:
    colour = style.COLOURS["blue"]
    for low, high, white in BANDS:
        share = f"{100 * QUANTILES[low]:.0f} to {100 * QUANTILES[high]:.0f} % of nodes"
        shade = style.lightened(colour, white)
        ax.fill_between(ticks, spread[:, low], spread[:, high], color=shade, linewidth=0, label=share)
    ax.plot(ticks, spread[:, 3], color=colour, label="median")
    for place in (0, -1):
        label_ = "least and greatest" if place else None
        ax.plot(ticks, spread[:, place], color=style.GREY, linestyle=style.DASHES[2], linewidth=1, label=label_)
    ax.set(xlabel="tick", ylabel=label)
    axes.without_frame(ax)
    axes.legend_inside(ax)
    return ax


def _draw_quantiles(ax: Any, ticks: NDArray[np.int64], spread: NDArray[np.float64], label: str) -> Any:
    """Between the quantiles that are known, which lie apart unevenly, colours are shaded."""
    if len(ticks) == 1:
        raise InputError("given: one record makes no heat map; record more often, or write form='fan'")
    levels = 100 * np.array(QUANTILES)
    bound = np.nanmax(spread[:, BOUND], initial=-np.inf)
    limit = bound if bound > np.nanmin(spread, initial=np.inf) else None
    drawn = {"cmap": style.NUMBERS, "shading": "gouraud", "rasterized": True, "vmax": limit}
    mesh = ax.pcolormesh(ticks, levels, np.ma.masked_invalid(spread.T), **drawn)
    ax.set(xlabel="tick", ylabel="share of nodes, %", yticks=[0, 25, 50, 75, 95])
    axes.add_bar(ax, mesh, label, extend="neither" if limit is None else "max")
    ax.spines[:].set_visible(False)
    return ax


def _draw_nodes(ax: Any, values: NDArray[np.float64], ticks: NDArray[np.float64], label: str, sort: bool) -> Any:
    if sort:
        known = np.isfinite(values)
        total = np.where(known, values, 0).sum(axis=0)
        values = values[:, np.argsort(total / np.maximum(known.sum(axis=0), 1), kind="stable")]
    half = np.diff(ticks) / 2 if len(ticks) > 1 else np.array([0.5])
    edges = np.concatenate([[ticks[0] - half[0]], ticks[:-1] + half[: len(ticks) - 1], [ticks[-1] + half[-1]]])
    nodes = np.arange(values.shape[1] + 1) - 0.5
    limits, extend = style.limits(values)
    shown = np.ma.masked_invalid(values.T)
    mesh = ax.pcolormesh(edges, nodes, shown, cmap=style.NUMBERS, rasterized=True, **limits)
    ax.set_facecolor(style.lightened(style.GREY, 0.6))
    ax.set(xlabel="tick", ylabel="node, stalest above" if sort else "node")
    if sort:
        ax.set_yticks([])
    axes.add_bar(ax, mesh, label, extend=extend)
    ax.spines[:].set_visible(False)
    return ax


def _quantiles(rows: Any, metric: str) -> NDArray[np.float64]:
    """Of a metric over nodes [R, Q]."""
    known = rows[0].get("quantiles")
    if not isinstance(known, dict) or metric not in known:
        allowed = known if isinstance(known, dict) else IN_WORDS
        raise InputError(f"metric: got {metric!r}; {suggestion(metric, allowed)}")
    try:
        spread = np.array([row["quantiles"][metric] for row in rows], np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"given: its rows hold no sound quantiles of {metric}; give a jdgnn.History") from error
    if spread.shape != (len(rows), len(QUANTILES)):
        raise InputError(f"given: its rows hold no sound quantiles of {metric}; give a jdgnn.History")
    return spread


def _checked(given: Any, ticks: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    check_not_consumed("given", given)
    try:
        values = np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"given: expected a history, or numbers [ticks, nodes], got {type(given).__name__}") from error
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(f"given: expected a history, or numbers [ticks, nodes], got shape {values.shape}")
    at = np.arange(1.0, len(values) + 1) if ticks is None else np.asarray(ticks, np.float64)
    if at.shape != (len(values),) or not (np.diff(at) > 0).all():
        raise InputError(f"ticks: expected {len(values)} ascending ticks, one for each row, got shape {at.shape}")
    return values, at
