"""Figures over ticks: one run, seeds of a variant, several variants, and the baselines they must beat.

Axes: R records, S seeds.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jdgnn.checks import check_flag
from jdgnn.deprecated import old_arguments
from jdgnn.errors import InputError
from jdgnn.evaluation.probe import ProbeResult
from jdgnn.plot import axes, style
from jdgnn.plot.rows import Rows, are_rows, rows_of, series, ticks_of

IN_WORDS = {
    "active": "share of nodes awake",
    "consensus_distance": "consensus distance",
    "disagreement": "consensus distance of a layer",
    "effective_rank": "effective rank",
    "norm_ratio": "norm ratio",
    "online": "share of nodes online",
    "staleness": "staleness, ticks",
    "stepped": "share of nodes that stepped",
}
LOGARITHMIC = ("consensus_distance", "disagreement")
"""Figures that fall over orders of magnitude."""

ALPHA = 0.2
"""Opacity of the band around a mean."""


class _Curve(NamedTuple):
    ticks: NDArray[np.int64]  # [R]
    mean: NDArray[np.float64]  # [R]
    sd: NDArray[np.float64] | None  # [R]; None for one seed


@old_arguments(figure="metric")
def curves(
    histories: Rows | Sequence[Rows] | Mapping[str, Rows | Sequence[Rows]],
    *,
    metric: str = "loss",
    labels: Sequence[str] | None = None,
    logarithmic: bool | None = None,
    ax: Any = None,
) -> Any:
    """Draws a metric over the ticks: a line for each layer, or kind of messages, where it has a number for each.

    Several seeds of one variant are drawn as their mean, with a band of one standard deviation (divisor S − 1) to both
    sides.

    Args:
      histories: one `jdgnn.History`; several, which are the seeds of one variant; or such by the name of a variant. The
        rows of a history (`History.rows`, or the lines of `metrics.jsonl`) serve as well, and so do other dicts with a
        `tick` and the metric.
      metric: a key of the rows: `loss`, `consensus_distance`, `effective_rank`, `active`, `messages_dropped`, ….
      labels: names of the variants, in place of those given, or of the one.
      logarithmic: whether the y axis is; None for a consensus distance only, if any is above 0.
      ax: the Axes to draw on; None for a new figure.

    Returns:
      The Axes.

    Raises:
      InputError: Matplotlib is missing, seeds were not recorded at the same ticks, or an argument is invalid.

    Example:
      >>> import matplotlib; matplotlib.use("agg")
      >>> rows = [{"tick": 10, "loss": [1.5, 1.0]}, {"tick": 20, "loss": [0.5, None]}]
      >>> ax = curves(rows)
      >>> [text.get_text() for text in ax.get_legend().get_texts()]
      ['layer 1', 'layer 2']
    """
    ax = axes.taken(ax)
    if logarithmic is not None:
        check_flag("logarithmic", logarithmic)
    drawn = {name: _variant(where, given, metric) for name, (where, given) in _variants(histories, labels).items()}
    keys = list(dict.fromkeys(key for variant in drawn.values() for key in variant))
    for index, (name, variant) in enumerate(drawn.items()):
        for key, curve in variant.items():
            place = keys.index(key)
            _draw(ax, curve, f"{name}, {key}".strip(", "), _line(index, place, len(drawn), len(keys)))
    is_positive = any((np.asarray(line.get_ydata(), np.float64) > 0).any() for line in ax.lines)
    if logarithmic or (logarithmic is None and metric in LOGARITHMIC and is_positive):
        ax.set_yscale("log")
    ax.set(xlabel="tick", ylabel=IN_WORDS.get(metric, metric.replace("_", " ")))
    axes.without_frame(ax)
    if len(drawn) * len(keys) > 1 or any(drawn):
        axes.legend_inside(ax)
    return ax


def baselines(
    results: Mapping[str, ProbeResult | Mapping[str, Any] | float], ax: Any = None, *, percent: bool = True
) -> Any:
    """Draws a horizontal line for each of what learning must beat.

    Args:
      results: by name what a probe found, as `jdgnn.evaluation.probe_table` gives it; the tables in the `probe` of a
        `summary.json` and plain shares of 1 serve as well.
      ax: the Axes to draw on; None for a new figure.
      percent: whether shares are drawn as percent.

    Returns:
      The Axes.

    Raises:
      InputError: Matplotlib is missing, or a result is none.

    Example:
      >>> import matplotlib; matplotlib.use("agg")
      >>> learned = [{"tick": 0, "accuracy, %": 60.0}, {"tick": 50, "accuracy, %": 81.0}]
      >>> ax = curves(learned, metric="accuracy, %", labels=["learned"])
      >>> ax = baselines({"raw": 0.6, "propagated_2hop": 0.79}, ax)
      >>> [text.get_text() for text in ax.get_legend().get_texts()]
      ['learned', 'raw', 'propagated 2hop']
    """
    ax = axes.taken(ax)
    check_flag("percent", percent)
    if not isinstance(results, Mapping):
        raise InputError(f"results: expected a dict of results by name, got {type(results).__name__}")
    if not results:
        raise InputError("results: got an empty dict; give what a probe found, by name")
    shares = {name: _share(str(name), result) for name, result in results.items()}
    for index, (name, share) in enumerate(shares.items(), start=1):
        looks = style.look(index)
        value = 100 * share if percent else share
        ax.axhline(value, color=looks.colour, linestyle=looks.dash, linewidth=1.2, label=str(name).replace("_", " "))
    axes.without_frame(ax)
    axes.legend_inside(ax)
    return ax


def _share(name: str, result: Any) -> float:
    value = result.get("mean") if isinstance(result, Mapping) else getattr(result, "mean", result)
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not np.isfinite(value):
        raise InputError(f"results[{name!r}]: expected what a probe found, got {result!r}")
    return float(value)


def _variants(histories: Any, labels: Sequence[str] | None) -> dict[str, tuple[str, list[Any]]]:
    """By label what an error calls a variant, and its seeds."""
    given = histories if isinstance(histories, Mapping) else {"": histories}
    if not given:
        raise InputError("histories: got an empty dict; give a history for each variant")
    names = list(given) if labels is None else list(labels)
    if len(names) != len(given) or isinstance(labels, str) or len(set(names)) < len(names):
        raise InputError(f"labels: got {labels!r} for {len(given)} variants; give a different text for each")
    where = [f"histories[{name!r}]" if isinstance(histories, Mapping) else "histories" for name in given]
    seeds = [[one] if are_rows(one) or not isinstance(one, list | tuple) else list(one) for one in given.values()]
    return {str(name): (place, runs) for name, place, runs in zip(names, where, seeds, strict=True)}


def _variant(where: str, runs: Sequence[Any], metric: str) -> dict[str, _Curve]:
    """The mean over the seeds of one variant, by layer or kind."""
    if not runs:
        raise InputError(f"{where}: got an empty list; give a history for each seed")
    rows = [rows_of(f"{where}[{seed}]" if len(runs) > 1 else where, run) for seed, run in enumerate(runs)]
    ticks = ticks_of(rows[0])
    found = [series(where, run, metric) for run in rows]
    for seed, run in enumerate(rows):
        if not np.array_equal(ticks_of(run), ticks) or list(found[seed]) != list(found[0]):
            raise InputError(
                f"{where}[{seed}]: recorded at other ticks, or for other layers, than the first; seeds of one variant "
                "are drawn as their mean; give others as variants, in a dict"
            )
    return {key: _mean(ticks, np.stack([one[key] for one in found])) for key in found[0]}


def _mean(ticks: NDArray[np.int64], values: NDArray[np.float64]) -> _Curve:
    """Over the seeds [S, R] that have a value."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    mean = np.where(count > 0, np.where(known, values, 0).sum(axis=0) / np.maximum(count, 1), np.nan)
    squares = np.where(known, values - mean, 0) ** 2
    sd = np.sqrt(squares.sum(axis=0) / np.maximum(count - 1, 1))
    return _Curve(ticks, mean, sd if len(values) > 1 else None)


def _line(index: int, place: int, num_variants: int, num_keys: int) -> dict[str, Any]:
    """How a line looks: variants have each a colour; layers a colour too, where there is one variant, else a dash."""
    if num_variants == 1 or num_keys == 1:
        looks = style.look(max(index, place))
        return {"color": looks.colour, "linestyle": looks.dash}
    return {"color": style.look(index).colour, "linestyle": style.look(place).dash}


def _draw(ax: Any, curve: _Curve, label: str, line: dict[str, Any]) -> None:
    shown = np.isfinite(curve.mean)
    marker = {"marker": "o", "markersize": 3} if shown.sum() == 1 else {}
    ax.plot(curve.ticks, curve.mean, label=label or None, linewidth=1.5, **line, **marker)
    if curve.sd is not None:
        low, high = curve.mean - curve.sd, curve.mean + curve.sd
        ax.fill_between(curve.ticks, low, high, color=line["color"], alpha=ALPHA, linewidth=0)
