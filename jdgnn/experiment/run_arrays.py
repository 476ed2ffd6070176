"""Arrays of run directories, read back: what is there must be what `jdgnn run` writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.network.datasets.restricted import read_npz
from jdgnn.regular_files import read_regular

MOST_BYTES = 2**32
"""Of a file."""

KINDS = {"int": np.integer, "float": np.floating, "text": np.str_}

Arrays = dict[str, NDArray[Any]]


def read_arrays(path: Path, needed: Mapping[str, str], sizes: Mapping[str, int] | None = None) -> Arrays:
    """Reads a file of arrays.

    Args:
      path: an npz file.
      needed: for each array its kind and its axes, such as `float N W`; those that end in `?` may be missing. Axes of
        one name are equally long.
      sizes: lengths of axes that are known.

    Returns:
      The arrays that are there, by name; others in the file are left out.

    Raises:
      InputError: it cannot be read, or says something else.

    Example:
      >>> read_arrays(Path("nowhere.npz"), {"age": "int N"})
      Traceback (most recent call last):
      jdgnn.errors.InputError: nowhere.npz: cannot be read (No such file or directory); repeat the run
    """
    try:
        found = read_npz(read_regular(path, MOST_BYTES), path.name)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); repeat the run") from error
    except InputError as error:
        raise InputError(f"{path}: is damaged ({error}); repeat the run") from error
    lengths = dict(sizes or {})
    for name, form in needed.items():
        if name in found or not form.endswith("?"):
            _check(path, name, found.get(name), form.rstrip("?").split(), lengths)
    return {name: found[name] for name in needed if name in found}


def _check(path: Path, name: str, array: Any, form: list[str], lengths: dict[str, int]) -> None:
    kind, *axes = form
    is_sound = isinstance(array, np.ndarray) and np.issubdtype(array.dtype, KINDS[kind]) and array.ndim == len(axes)
    if is_sound:
        is_sound = all(lengths.setdefault(axis, size) == size for axis, size in zip(axes, array.shape, strict=True))
    if not is_sound:
        wanted = " ".join([kind, *(f"{axis}={lengths[axis]}" if axis in lengths else axis for axis in axes)])
        raise InputError(f"{path}: its {name} is not what jdgnn run writes ({wanted}); repeat the run")


def within(path: Path, name: str, numbers: NDArray[Any], end: int) -> NDArray[Any]:
    """Numbers of nodes, if all are from 0 to below `end`.

    Raises:
      InputError: they are not.
    """
    if numbers.size and (numbers.min() < 0 or numbers.max() >= end):
        raise InputError(f"{path}: its {name} names nodes that are not there; repeat the run")
    return numbers
