"""What features lose in the type that nodes compute in."""

from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from jdgnn.network.problems import listed


def narrowing_notes(features: NDArray[Any], feature_names: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A sentence about the columns in which values that differ will be the same once narrowed; none if all is well.

    Of numbers with a fraction some fall together by chance where there are many: these are told only if the type cannot
    resolve a ten-thousandth of the standard deviation.

    Args:
      features: of all nodes [N, F0].
      feature_names: what each is called; none for their numbers.
    """
    dtype = jax.dtypes.canonicalize_dtype(features.dtype)
    if features.dtype == dtype:
        return ()
    told, names = [], column_names(features, feature_names)
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = features.astype(dtype)
        error = np.abs(narrow - features).max(axis=0)
    for column in np.flatnonzero(error > 0):
        values = features[:, column]
        if error[column] < 1e-4 * values.std() and (values != np.floor(values)).any():
            continue
        count, left = len(np.unique(values)), len(np.unique(narrow[:, column]))
        if left < count:
            told.append(f"{names[column]} ({left:,} different of {count:,})")
    advice = "scale them, with network.scale or scale = true"
    return (f"features lose values in {dtype}: {listed(told)}; {advice}",) if told else ()


def column_names(features: NDArray[Any], feature_names: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What features are called, also where they have no names.

    >>> column_names(np.zeros((3, 2)))
    ('column 0', 'column 1')
    """
    return feature_names or tuple(f"column {column}" for column in range(features.shape[1]))
