"""Arrays of run directories, read back: what is there must be what `jdgnn run` writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.npz import Header, read_archive

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
    lengths = dict(sizes or {})

    def check(found: Mapping[str, Header]) -> None:
        for name, form in needed.items():
            if name in found or not form.endswith("?"):
                _check(path, name, found.get(name), form.rstrip("?").split(), lengths)

    try:
        return read_archive(path, MOST_BYTES, check, needed)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); repeat the run") from error
    except ValueError as error:
        raise InputError(f"{path}: is damaged ({error}); repeat the run") from error


def _check(path: Path, name: str, header: Header | None, form: list[str], lengths: dict[str, int]) -> None:
    kind, *axes = form
    is_sound = header is not None and np.issubdtype(header.dtype, KINDS[kind]) and len(header.shape) == len(axes)
    if header is not None and is_sound:
        is_sound = all(lengths.setdefault(axis, size) == size for axis, size in zip(axes, header.shape, strict=True))
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
