"""Columns of a table as features: which ones, and what is encoded, filled, left out and worth a look.

Every reader whose nodes have named values (tables, graphs with attributes) makes features here.
"""

import fnmatch
import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jdgnn.checks import check_count
from jdgnn.errors import InputError, suggestion
from jdgnn.network.labels import Labels, as_list, is_missing
from jdgnn.network.problems import Problems, listed

Names = str | Sequence[str]
Text = Literal["error", "ignore", "onehot"]
Missing = Literal["error", "mean", "zero", "indicator"]

NOTHINGS = ("none", "null", "-", "n/a", "na")
"""Besides `labels.UNKNOWN`, what people write in a column of numbers where they know none."""

SUSPICIOUS = r"label|class|target|y|truth|ground.?truth|(cv.?)?fold|split|index|row|level_0|unnamed: \d+"
SUSPICIOUS += r"|(is_)?(train|val|valid|validation|test)(.?(mask|set|split|idx))?"
"""Names of columns that hold an answer, a split or a row number more often than a measurement."""

TIME = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?\s?(Z|[+-]\d\d:?(\d\d)?)?)?"


class Roles(NamedTuple):
    """What becomes of the columns of a table of nodes that are no id, label or split.

    Attributes:
      features: names or patterns (`wifi_*`) of the columns that are features; None for all.
      ignore: names or patterns of columns that are not.
      text: what becomes of columns of text: an error, left out, or one column of 0 and 1 for each value.
      max_categories: a column of text with more values is left out even so, as is one that differs at every node; if
        `features` names it, more values are an error.
      missing: what becomes of missing values: an error, the mean of the column, 0, or the mean and a further column
        that says where they were.
    """

    features: Names | None = None
    ignore: Names | None = None
    text: Text = "error"
    max_categories: int = 20
    missing: Missing = "error"


class Features(NamedTuple):
    """Features of nodes.

    Attributes:
      values: [N, F0], float64, or float32 where all columns were given so.
      names: of the features [F0].
      notes: sentences about where they come from.
    """

    values: NDArray[np.floating]
    names: tuple[str, ...]
    notes: tuple[str, ...]


class _Column(NamedTuple):
    name: str
    kind: Literal["number", "time", "text", "empty", "nested"]
    values: Any  # float64 [N] with NaN for missing values; of texts a list, with None
    is_single: bool = False  # given as float32, or as booleans


def checked_roles(roles: Roles) -> Roles:
    """Checks the settings; InputError if one is invalid."""
    for argument, options in (("text", ("error", "ignore", "onehot")), ("missing", Missing.__args__)):  # type: ignore[attr-defined]
        given = getattr(roles, argument)
        if given not in options:
            raise InputError(f"{argument}: got {given!r}; {suggestion(str(given), options)}")
    check_count("max_categories", roles.max_categories, minimum=2)
    for argument in ("features", "ignore"):
        given = getattr(roles, argument)
        names = (given,) if isinstance(given, str) or given is None else given
        if not isinstance(names, list | tuple) or not all(isinstance(one, str) or given is None for one in names):
            raise InputError(f"{argument}: expected names of columns, or patterns, got {given!r}")
    return roles


def matching(argument: str, patterns: Names | None, columns: Sequence[str], problems: Problems) -> list[str]:
    """The columns that names or patterns mean, in the order of the table; each must mean one at least.

    >>> matching("ignore", ["w*", "x"], ["x", "y", "wifi", "wire"], Problems("nodes"))
    ['x', 'wifi', 'wire']
    """
    found: set[str] = set()
    for pattern in (patterns,) if isinstance(patterns, str) else patterns or ():
        meant = [pattern] if pattern in columns else [one for one in columns if fnmatch.fnmatchcase(one, pattern)]
        if not meant:
            problems.add(f"{argument}: there is no column {pattern!r}; {suggestion(pattern, columns)}")
        found |= set(meant)
    return [one for one in columns if one in found]


def features_of(frame: Any, roles: Roles, problems: Problems, labels: Labels | None = None) -> Features | None:
    """Makes features of the columns of a pandas data frame.

    Args:
      frame: a row for each node, without ids, labels and splits; cells are numbers, texts, times, or nothing.
      roles: which columns are features, and how they are read.
      problems: where to add what is wrong.
      labels: of the nodes, with which columns are compared; None for none.

    Returns:
      The features; None if there are none.

    Example:
      >>> import pandas
      >>> frame = pandas.DataFrame({"load": ["0.5", "", "1.5"], "model": ["a", "b", "a"]})
      >>> found = features_of(frame, Roles(text="onehot", missing="mean"), Problems("nodes"))
      >>> found.names, found.values.tolist()
      (('load', 'model=a', 'model=b'), [[0.5, 1.0, 0.0], [1.0, 0.0, 1.0], [1.5, 1.0, 0.0]])
      >>> found.notes
      ('features: load, model (one-hot, 2 values)', 'filled by the mean: load (1 of 3)')
    """
    columns = [str(name) for name in frame.columns]
    named = matching("features", roles.features, columns, problems)
    ignored = matching("ignore", roles.ignore, columns, problems)
    wanted = [one for one in (columns if roles.features is None else named) if one not in ignored]
    read = [_read(one, frame.iloc[:, columns.index(one)], problems) for one in wanted]
    kept, left = _kept(read, named, roles, problems)
    left = [one for one in columns if one not in wanted] + left
    notes = [f"not features: {listed(left)}"] if left else []
    if not kept:
        return None
    made = [_encoded(column) for column in kept]
    filled, names, parts, told = [], [], [], []
    for column, (values, parts_of) in zip(kept, made, strict=True):
        bare, count = _filled(values, roles.missing)
        if count:
            filled.append((column, count))
        has_indicator = count and roles.missing == "indicator"
        parts += [bare, np.isnan(values[:, :1]).astype(np.float64)] if has_indicator else [bare]
        names += [*parts_of, f"{column.name} is missing"] if has_indicator else parts_of
        told.append(column.name + _kind_told(column, len(parts_of)))
    size = len(frame)
    notes = [f"features: {listed(told)}", *notes]
    if filled and roles.missing == "error":
        _reject_missing(filled, size, problems)
    elif filled:
        way = {"zero": "0", "indicator": "the mean, beside a column that says where"}.get(roles.missing, "the mean")
        counts = [f"{column.name} ({count:,} of {size:,})" for column, count in filled]
        notes.append(f"filled by {way}: {listed(counts)}")
    notes += _suspicions(kept, labels)
    dtype = np.float32 if all(column.is_single for column in kept) else np.float64
    return Features(np.concatenate(parts, axis=1).astype(dtype), tuple(names), tuple(notes))


def numbers_of(name: str, series: Any, problems: Problems) -> NDArray[np.float64]:
    """A column that must be finite numbers [rows]; adds what is none to the problems."""
    cells = as_list(series)
    column = _read(name, series, problems)
    values = column.values
    if column.kind not in ("number", "time"):
        values = np.array([np.nan if is_missing(value) or _number(value) is None else 0.0 for value in cells])
    problems.cells(name, cells, np.flatnonzero(np.isnan(values)).tolist(), "expected numbers")
    return np.asarray(values, np.float64)


class Facts(NamedTuple):
    """What can be told of a column of a table of nodes by looking at it.

    Attributes:
      name: of the column.
      kind: what it holds.
      num_missing: rows in which it says nothing.
      num_values: different values.
      differs: whether whole numbers or texts in it all differ, as identifiers do.
      is_suspicious: whether it is called like a label, a split or a row number.
    """

    name: str
    kind: Literal["number", "time", "text", "empty", "nested"]
    num_missing: int
    num_values: int
    differs: bool
    is_suspicious: bool


def facts_of(frame: Any) -> list[Facts]:
    """Looks at the columns of a pandas data frame.

    Example:
      >>> import pandas
      >>> facts_of(pandas.DataFrame({"model": ["a", "b", "", "a"]}))[0][:4]
      ('model', 'text', 1, 2)
    """
    found = []
    for index, name in enumerate(map(str, frame.columns)):
        column = _read(name, frame.iloc[:, index], Problems(name))
        is_suspicious = re.fullmatch(SUSPICIOUS, name.strip(), re.IGNORECASE) is not None
        if column.values is None:
            found.append(Facts(name, column.kind, len(frame), 0, False, is_suspicious))
            continue
        codes, has_value = _codes(column.values)
        num_values = len(np.unique(codes[has_value]))
        missing = int((~has_value).sum())
        found.append(Facts(name, column.kind, missing, num_values, _identifies(column), is_suspicious))
    return found


def _read(name: str, series: Any, problems: Problems) -> _Column:
    """A column by what it holds."""
    kind = series.dtype.kind if isinstance(series.dtype, np.dtype) else ""
    if kind in "biuf" and kind:
        is_single = series.dtype == np.float32 or kind == "b"
        values = series.to_numpy(np.float64)
        return _finite(_Column(name, "number", values, is_single), series, problems)
    plain = _all_numbers(series)
    if plain is not None and not np.isnan(plain).all():
        return _finite(_Column(name, "number", plain), series, problems)
    cells = [None if is_missing(value) else value for value in as_list(series)]
    known = [value for value in cells if value is not None]
    if not known:
        return _Column(name, "empty", None)
    if any(isinstance(value, list | dict | tuple | set | np.ndarray) for value in known):
        return _Column(name, "nested", None)
    if all(_is_time(value) for value in known):
        values = _seconds(cells)
        bad = [row for row, value in enumerate(cells) if value is not None and np.isnan(values[row])]
        problems.cells(name, list(map(str, cells)), bad, "expected dates that exist, or durations alone")
        values[bad] = 0.0  # the bad ones are told
        return _Column(name, "time", values)
    numbers = [_number(value) for value in cells]
    num_texts = sum(number is None for number in numbers)
    if 2 * num_texts > len(known):
        return _Column(name, "text", [None if value is None else str(value) for value in cells])
    bad = [row for row, number in enumerate(numbers) if number is None]
    problems.cells(name, cells, bad, "expected numbers", f"correct them, or write ignore = [{name!r}]")
    values = np.array([0.0 if number is None else number for number in numbers])  # the bad ones are told
    return _finite(_Column(name, "number", values), series, problems)


def _all_numbers(series: Any) -> NDArray[np.float64] | None:
    """A column in which every cell is a number or NaN, in one step; None for any other."""
    cells = series.to_numpy(object)
    try:
        values: NDArray[np.float64] = cells.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if any(isinstance(cell, str) and "_" in cell for cell in cells) else values


def _finite(column: _Column, series: Any, problems: Problems) -> _Column:
    bad = np.flatnonzero(np.isinf(column.values)).tolist()
    problems.cells(column.name, as_list(series) if bad else [], bad, "expected finite numbers")
    return column


def _number(value: Any) -> float | None:
    """A cell as a number, NaN for a missing one; None if it is none."""
    if value is None or (isinstance(value, str) and value.lower() in NOTHINGS):
        return np.nan
    if isinstance(value, str):
        if value.lower() in ("true", "false"):
            return float(value.lower() == "true")
        if "_" in value:  # Python reads 1_000 as a number
            return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def is_text(value: Any) -> bool:
    """Whether a cell is no number, and not missing."""
    return not is_missing(value) and _number(value) is None


def _is_time(value: Any) -> bool:
    if isinstance(value, str):
        return re.fullmatch(TIME, value, re.ASCII) is not None
    return hasattr(value, "isoformat") or hasattr(value, "total_seconds")


def _seconds(cells: list[Any]) -> NDArray[np.float64]:
    """Times as seconds since 1970 (UTC), durations as seconds."""
    import pandas

    if any(hasattr(value, "total_seconds") for value in cells):
        return np.array([value.total_seconds() if hasattr(value, "total_seconds") else np.nan for value in cells])
    texts = [value.isoformat() if hasattr(value, "isoformat") else value for value in cells]
    times = pandas.to_datetime(pandas.Series(texts, dtype=object), utc=True, format="ISO8601", errors="coerce")
    seconds = (times - pandas.Timestamp(0, tz="UTC").as_unit("s")) / pandas.Timedelta(seconds=1)
    return np.array(seconds, np.float64)


def _kept(read: list[_Column], named: list[str], roles: Roles, problems: Problems) -> tuple[list[_Column], list[str]]:
    """Columns that become features, and those that do not, with the reason."""
    kept: list[_Column] = []
    left: list[str] = []
    texts: list[str] = []
    for column in read:
        reason = {"empty": "empty", "nested": "lists"}.get(column.kind, "")
        if column.kind == "text":
            count = len({value for value in column.values if value is not None})
            if roles.text == "error":
                texts.append(f"{column.name} ({count:,} different)")
                continue
            is_wide = roles.text == "onehot" and count > roles.max_categories
            is_name = _identifies(column) and column.name not in named  # one column for each node says nothing
            reason = f"text, {count:,} different" if is_wide or is_name or roles.text == "ignore" else ""
            if is_wide and column.name in named:
                problems.add(
                    f"features: {column.name} has {count:,} different texts, more than max_categories = "
                    f"{roles.max_categories}; raise that, or leave the column out"
                )
        elif reason and column.name in named:
            problems.add(f"features: {column.name} holds {reason.replace('empty', 'nothing')}; leave it out")
        if reason:
            left.append(f"{column.name} ({reason})")
        else:
            kept.append(column)
    if texts:
        problems.add(
            f"these columns are texts: {listed(texts)}; write text = 'onehot' (a column for each value, of texts with "
            f"at most max_categories = {roles.max_categories}), text = 'ignore', or name the features = [...] you want"
        )
    return kept, left


def _encoded(column: _Column) -> tuple[NDArray[np.float64], list[str]]:
    """Values [N, columns] with NaN where they are missing, and names of the columns."""
    if column.kind != "text":
        return np.asarray(column.values)[:, None], [column.name]
    options = sorted({value for value in column.values if value is not None})
    rows = np.array([[np.nan if value is None else value == one for one in options] for value in column.values])
    return rows.astype(np.float64), [f"{column.name}={one}" for one in options]


def _filled(values: NDArray[np.float64], missing: Missing) -> tuple[NDArray[np.float64], int]:
    """Values without gaps, and how many there were."""
    is_gap = np.isnan(values)
    count = int(is_gap[:, 0].sum())
    if not count:
        return values, 0
    mean = np.zeros(values.shape[1]) if count == len(values) else np.nanmean(values, axis=0)
    return np.where(is_gap, 0.0 if missing == "zero" else mean, values), count


def _reject_missing(filled: list[tuple[_Column, int]], size: int, problems: Problems) -> None:
    told = []
    for column, count in filled:
        gaps = [value is None or value != value for value in column.values]
        told.append(f"{column.name} ({count:,} of {size:,}, first {problems.place(gaps.index(True))})")
    problems.add(
        f"values are missing: {listed(told)}; write missing = 'mean', 'zero' or 'indicator' to fill them, or ignore "
        "these columns"
    )


def _kind_told(column: _Column, width: int) -> str:
    if column.kind == "text":
        return f" (one-hot, {width} values)"
    return " (time, in seconds)" if column.kind == "time" else ""


def suspicions(names: Sequence[str], values: NDArray[np.floating], labels: NDArray[np.int32] | None) -> list[str]:
    """Sentences about features that look like something else.

    Args:
      names: of the features [F0], or none, which says nothing.
      values: [N, F0].
      labels: class of each node [N], -1 where there is none; or None.

    Example:
      >>> suspicions(["fold"], np.array([[1.0], [2.0], [2.0]]), None)
      ['look at fold: called like a label, a split or a row number']
    """
    columns = [_Column(name, "number", column) for name, column in zip(names, values.T, strict=False)]
    return [note.partition("; to leave")[0] for note in _suspicions(columns, Labels(labels))]


def _suspicions(kept: list[_Column], labels: Labels | None) -> list[str]:
    """Features that look like something else."""
    groups: dict[str, list[str]] = {
        "the same as the label up to names, which gives the answer away": [],
        "called like a label, a split or a row number": [],
        "different at every node, as an identifier is": [],
        "whole numbers from 2**53 on, of which only about 16 digits are kept": [],
    }
    same, called, differ, large = groups.values()
    numbers = None if labels is None else labels.numbers
    for column in kept:
        if numbers is not None and _is_renamed(column.values, numbers):
            same.append(column.name)
        if re.fullmatch(SUSPICIOUS, column.name.strip(), re.IGNORECASE):
            called.append(column.name)
        if _identifies(column):
            differ.append(column.name)
        if column.kind == "number" and (np.abs(column.values) >= 2**53).any():
            large.append(column.name)
    notes = [
        f"look at {listed(names)}: {what}; to leave {'it' if len(names) == 1 else 'them'} out, write ignore = {names}"
        for what, names in groups.items()
        if names
    ]
    classes = [column.name for column in kept if _numbers_classes(column)] if numbers is None else []
    if classes:
        notes.append(f"look at {listed(classes)}: whole numbers 0, 1, …, as classes are; for one, write label = '...'")
    return notes


def _numbers_classes(column: _Column) -> bool:
    """Whether values are 0, 1, …, K - 1, each of several nodes; K of two is taken for yes and no."""
    if column.kind != "number" or np.isnan(column.values).any():
        return False
    found, counts = np.unique(column.values, return_counts=True)
    return len(found) > 2 and counts.min() > 1 and bool((found == np.arange(len(found))).all())


def _is_renamed(values: Any, labels: NDArray[np.int32]) -> bool:
    """Whether values and classes stand for each other, one to one, wherever both are known; of two classes at least.

    Where every node has a class of its own, that says nothing.
    """
    codes, has_value = _codes(values)
    is_known = has_value & (labels >= 0)
    codes, labels = codes[is_known], labels[is_known]
    num_classes = len(np.unique(labels))
    if num_classes < 2 or len(np.unique(codes)) != num_classes or len(codes) == num_classes:
        return False
    return len(np.unique(np.stack([codes, labels]), axis=1).T) == num_classes


def _codes(values: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """A number for each different value [N], and whether there is one [N]."""
    if isinstance(values, np.ndarray):
        return np.unique(values, return_inverse=True)[1], ~np.isnan(values)
    has_value = np.array([value is not None for value in values])
    return np.unique([value or "" for value in values], return_inverse=True)[1], has_value


def _identifies(column: _Column) -> bool:
    """Whether a column of whole numbers or texts differs at every node."""
    codes, has_value = _codes(column.values)
    if column.kind == "time" or len(codes) < 3 or not has_value.all() or codes.max() < len(codes) - 1:
        return False
    return column.kind == "text" or bool((column.values == np.floor(column.values)).all())
