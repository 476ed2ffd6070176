"""Reads the arrays that `jdgnn run` writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.experiment.results.reading import reading
from jdgnn.npz import Header, read_archive

MOST_BYTES = 2**32
"""Of a file."""

KINDS = {"int": np.integer, "float": np.floating, "text": np.str_}

Arrays = dict[str, NDArray[Any]]


def read_arrays(path: Path, forms: Mapping[str, str], **sizes: int) -> Arrays:
    """Reads arrays of an npz file; others in it are left out.

    `forms` gives for each array its kind and its axes, such as `float N W`; those that end in `?` may be missing. Axes
    of one name are equally long, and have the lengths in `sizes`.
    """

    def check(headers: Mapping[str, Header]) -> None:
        # before memory is taken for the numbers
        for name, form in forms.items():
            if name in headers or not form.endswith("?"):
                _check(name, headers.get(name), form.rstrip("?").split(), sizes)

    with reading(path):
        return read_archive(path, MOST_BYTES, check, forms)


def _check(name: str, header: Header | None, form: list[str], lengths: dict[str, int]) -> None:
    """Rejects an array of another form; the first array with an axis decides its length."""
    kind, *axes = form
    is_sound = (
        header is not None
        and np.issubdtype(header.dtype, KINDS[kind])
        and len(header.shape) == len(axes)
        and all(lengths.setdefault(axis, size) == size for axis, size in zip(axes, header.shape, strict=True))
    )
    if not is_sound:
        wanted = " ".join([kind, *(f"{axis}={lengths[axis]}" if axis in lengths else axis for axis in axes)])
        raise ValueError(f"{name}: expected {wanted}")


def numbers_below(end: int, name: str, numbers: NDArray[Any]) -> NDArray[Any]:
    """Returns whole numbers from 0 to below `end`; raises a ValueError if one lies outside."""
    if numbers.size and (numbers.min() < 0 or numbers.max() >= end):
        raise ValueError(f"{name}: expected numbers from 0 to {end - 1}, got {numbers.min()} to {numbers.max()}")
    return numbers
