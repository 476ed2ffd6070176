"""Labels as people write them: which nodes have none, and what the classes are called."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jdgnn.network.problems import Problems

UNLABELLED = -1
"""The label of a node whose class is not known. Such a node takes part in everything and stands in no split."""

UNKNOWN = ("", "NA", "N/A", "<NA>", "#N/A", "?")
"""Texts that stand for a value that is not known, and so does `nan` in any capitals."""

BOTH_WAYS_OUT = "if -1 is a class, give the classes names; if it means that there is no label, leave it empty (NaN)"


class Labels(NamedTuple):
    """Classes of nodes.

    Attributes:
      numbers: class of each node [N], from 0; -1 for an unlabelled one. None if no node has a label.
      class_names: a name for each class, or none where classes are the numbers given.
    """

    numbers: NDArray[np.int32] | None = None
    class_names: tuple[str, ...] = ()


def is_missing(value: Any) -> bool:
    """Whether a value says that nothing is known: None, NaN, NaT, pandas.NA, or one of a few texts.

    Identifiers are never missing in this sense: a node may be called NA.

    >>> [is_missing(value) for value in (None, float("nan"), " NaN ", "?", "none", 0)]
    [True, True, True, True, False, False]
    """
    if isinstance(value, str):
        text = value.strip()
        return text in UNKNOWN or text.lower() == "nan"
    return value is None or is_nan(value)


def is_nan(value: Any) -> bool:
    """Whether it is NaN, NaT or pandas.NA."""
    return type(value).__name__ in ("NAType", "NaTType") or (
        isinstance(value, float | np.floating | np.datetime64) and bool(value != value)
    )


def as_list(values: Any) -> list[Any]:
    """Values of a list, an array or a pandas series, as Python has them; texts without blanks around them."""
    found = values.tolist() if hasattr(values, "tolist") else list(values)
    return [value.strip() if isinstance(value, str) else value for value in found]


def labels_of(values: Any, problems: Problems, name: str = "label", *, numbered: bool = False) -> Labels:
    """Reads labels; every reader of networks does it here.

    Empty values, NA, N/A, nan, ?, NaN and None mean that a node has no label; so does -1, where all other labels are
    whole numbers from 0.

    Args:
      values: one for each node: whole numbers or texts, as a list, an array or a pandas series. A categorical series
        keeps the order of its categories.
      problems: where to add what is wrong.
      name: what to call the values there.
      numbered: whole numbers are the numbers of classes, as they are; else they are names of classes unless they are
        0, 1, ... without a gap.

    Returns:
      The labels. Classes with names are numbered in the order of the names.

    Example:
      >>> problems = Problems("nodes")
      >>> found = labels_of(["phone", "", "router", "?"], problems)
      >>> found.numbers.tolist(), found.class_names
      ([0, -1, 1, -1], ('phone', 'router'))
      >>> labels_of([1, -1, 0], problems).numbers.tolist(), problems.found
      ([1, -1, 0], [])
    """
    if hasattr(values, "cat"):
        return _of_categories(values)
    cells = as_list(values)
    rows = [row for row, value in enumerate(cells) if not is_missing(value)]
    known = [cells[row] for row in rows]
    are_bad = [not isinstance(value, str | int | float | np.number) or _is_fraction(value) for value in known]
    bad = [row for row, is_bad in zip(rows, are_bad, strict=True) if is_bad]
    problems.cells(name, cells, bad, "expected whole numbers or texts as classes")
    if bad or not known:
        return Labels()
    whole = [_whole(value) for value in known]
    if all(number is not None for number in whole):
        return _of_numbers(np.array(whole, np.int64), rows, cells, problems, name, numbered)
    texts = list(map(str, known))
    if "-1" in texts:
        problems.cells(name, cells, [rows[texts.index("-1")]], "expected texts as classes, or none", BOTH_WAYS_OUT)
    return _numbered(texts, sorted(set(texts)), rows, len(cells))


def column_of(labels: Labels) -> Any:
    """Labels as a column of a pandas table, which `labels_of` reads back.

    Args:
      labels: of all nodes, some of whom have one.

    Returns:
      A categorical of the names of classes, or else the numbers of classes; empty where a node has none.

    Example:
      >>> list(column_of(Labels(np.array([1, -1, 0], np.int32), ("phone", "router"))))
      ['router', nan, 'phone']
    """
    import pandas

    if labels.class_names:
        names = pandas.Index(list(labels.class_names), dtype=object)
        return pandas.Categorical.from_codes(np.asarray(labels.numbers).tolist(), names)
    numbers = pandas.Series(labels.numbers)
    return numbers if (numbers >= 0).all() else numbers.astype("Int64").mask(numbers == UNLABELLED)


def are_display_names(values: Any) -> bool:
    """Whether values all differ, as what a viewer writes beside a node; no probe could learn them.

    Numbers may be classes of which few nodes are left, unless they are many.

    >>> are_display_names(["Ann", "Bob", "Cy"]), are_display_names(["a", "b", "a"]), are_display_names([1, 2, 3])
    (True, False, False)
    """
    known = [value for value in as_list(values) if not is_missing(value)]
    are_texts = all(isinstance(one, str) and _whole(one) is None for one in known)
    return len(known) > (2 if are_texts else 10) and _all_differ(known)


def _all_differ(values: Sequence[Any]) -> bool:
    return len(set(values)) == len(values)


def _of_categories(series: Any) -> Labels:
    """Codes as they are, but for categories that say that nothing is known."""
    names = [str(name).strip() for name in series.cat.categories]
    kept = [code for code, name in enumerate(names) if not is_missing(name)]
    number = np.full(len(names) + 1, UNLABELLED, np.int32)
    number[kept] = np.arange(len(kept))
    labels = number[series.cat.codes.to_numpy(np.int64)]  # -1, for nothing, is the last
    return Labels(labels, tuple(names[code] for code in kept)) if (labels >= 0).any() else Labels()


def _is_fraction(value: Any) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"[+-]?\d*\.\d+(e[+-]?\d+)?", value, re.ASCII | re.IGNORECASE) is not None and not (
            float(value).is_integer()
        )
    return not isinstance(value, bool | np.bool_) and not float(value).is_integer()


def _whole(value: Any) -> int | None:
    """The whole number that a value is, also as 1.0 or '1.0', which tables with gaps make of 1; None if it is none."""
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, str):
        match = re.fullmatch(r"([+-]?\d{1,18})(\.0*)?", value, re.ASCII)
        return int(match[1]) if match else None
    return int(value)


def _of_numbers(
    known: NDArray[np.int64], rows: list[int], cells: list[Any], problems: Problems, name: str, numbered: bool
) -> Labels:
    classes = np.unique(known[known != UNLABELLED])
    bad = known < UNLABELLED
    if (known == UNLABELLED).any() and (not len(classes) or classes[0] != 0):
        bad |= known == UNLABELLED
    if numbered and len(classes) and classes[-1] >= 2**31:
        bad |= known >= 2**31
    if bad.any():
        places = [rows[index] for index in np.flatnonzero(bad)]
        problems.cells(name, cells, places, "expected whole numbers from 0 as classes", BOTH_WAYS_OUT)
        return Labels()
    are_numbers = len(classes) > 0 and (numbered or (classes[0] == 0 and classes[-1] == len(classes) - 1))
    if not are_numbers:
        is_class = known != UNLABELLED
        texts, rows = list(map(str, known[is_class].tolist())), np.array(rows)[is_class].tolist()
        return _numbered(texts, list(map(str, classes.tolist())), rows, len(cells))
    labels = np.full(len(cells), UNLABELLED, np.int32)
    labels[rows] = known
    return Labels(labels)


def _numbered(known: list[str], names: list[str], rows: list[int], num_nodes: int) -> Labels:
    number = {name: index for index, name in enumerate(names)}
    labels = np.full(num_nodes, UNLABELLED, np.int32)
    labels[rows] = [number[text] for text in known]
    return Labels(labels, tuple(names))
