"""What is drawn over time: the rows of one history, as arrays.

Axes: R records.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.emulation.history import History
from jdgnn.errors import InputError, suggestion

Row = Mapping[str, Any]
Rows = History | Sequence[Row]
"""A history, or its rows: as `History.rows` gives them, or read from the lines of `metrics.jsonl`."""


def are_rows(given: Any) -> bool:
    """Whether something is a history, or rows."""
    is_list = isinstance(given, Sequence) and not isinstance(given, str)
    return isinstance(given, History) or (is_list and bool(given) and all(isinstance(row, Mapping) for row in given))


def rows_of(name: str, given: Any) -> list[Row]:
    """The rows of a history, at least one, each with its tick.

    Raises:
      InputError: it is neither a history nor rows, or there is none.
    """
    if isinstance(given, History):
        given = given.rows()
    elif not are_rows(given):
        raise InputError(
            f"{name}: expected a jdgnn.History, or the rows that its rows() gives, got {type(given).__name__}"
        )
    if not given:
        raise InputError(f"{name}: nothing was recorded; run with record_every at most the number of ticks")
    for index, row in enumerate(given):
        if not _is_count(row.get("tick")):
            raise InputError(f"{name}: row {index} has no tick, a whole number; give rows as History.rows makes them")
    return list(given)


def ticks_of(rows: Sequence[Row]) -> NDArray[np.int64]:
    """The ticks that were recorded [R]."""
    return np.array([row["tick"] for row in rows], np.int64)


def series(name: str, rows: Sequence[Row], metric: str) -> dict[str, NDArray[np.float64]]:
    """What a metric was at each record.

    Args:
      name: of the rows, for errors.
      rows: at least one.
      metric: a key of the rows, of a number, a number for each layer, or a number for each kind of messages.

    Returns:
      Values [R] by name, NaN where they are missing: `layer 1` and so on, the kinds, or one without a name.

    Raises:
      InputError: there is no such metric, or its values are not such numbers.
    """
    if metric not in rows[0]:
        raise InputError(f"metric: got {metric!r}, which {name} does not hold; {suggestion(metric, rows[0])}")
    parts = [_by_name(row.get(metric)) for row in rows]
    keys = list(parts[0])
    if not keys or any(list(part) != keys for part in parts):
        raise InputError(f"metric: {metric!r} of {name} is not the same number of numbers in each row; give another")
    try:
        return {key: np.array([part[key] for part in parts], np.float64) for key in keys}
    except (TypeError, ValueError) as error:
        raise InputError(f"metric: {metric!r} of {name} is not one number, nor one for each layer or kind") from error


def counts(name: str, rows: Sequence[Row], metric: str, kind: str) -> NDArray[np.float64]:
    """How many of a kind there were per tick, since the record before or the start [R].

    Raises:
      InputError: rows do not say.
    """
    try:
        total = np.array([row[metric][kind] for row in rows], np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{name}: its rows say nothing sound of {metric} of {kind}; give a jdgnn.History") from error
    return np.diff(total, prepend=0) / np.diff(ticks_of(rows), prepend=0)


def _by_name(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple):
        return {f"layer {index}": entry for index, entry in enumerate(value, start=1)}
    return {"": value}


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
