"""Means over seeds or repeats, and paired differences of two of them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.errors import InputError

CONFIDENCE = 0.95


class Spread(NamedTuple):
    """Mean and sample standard deviation (divisor n − 1; None if n = 1) over n seeds, or n repeats of a single seed."""

    over: str  # seeds, or what repeats are: splits, or starts
    n: int
    mean: float
    sd: float | None


class Difference(NamedTuple):
    """The mean of n paired differences, its standard error sd/√n and Student's t interval (n − 1 degrees of freedom).

    Splits share nodes, so an interval over splits is narrower than one over seeds would be.
    """

    over: str
    n: int
    mean: float
    sd: float | None  # None if n = 1, like the next two
    standard_error: float | None
    interval_95: tuple[float, float] | None


def spread(values: ArrayLike, repeats: str = "splits") -> Spread:
    """Mean and standard deviation of values [R, S] over seeds of means over repeats; over repeats of a single seed."""
    over, sample = _sample(_checked("values", values), repeats)
    return Spread(over, len(sample), float(sample.mean()), _sd(sample))


def paired_difference(values: ArrayLike, others: ArrayLike, repeats: str = "splits") -> Difference:
    """By how much values [R, S] exceed others of the same seeds and repeats in the same order; see `spread`."""
    from scipy.special import stdtrit

    first, second = _checked("values", values), _checked("others", others)
    if first.shape != second.shape:  # or NumPy would pair one value with several
        raise InputError(f"others: expected {first.shape} values, to be paired, got {second.shape}")
    over, sample = _sample(first - second, repeats)
    mean, sd, n = float(sample.mean()), _sd(sample), len(sample)
    if sd is None:
        return Difference(over, n, mean, None, None, None)
    error = sd / n**0.5
    reach = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * error
    return Difference(over, n, mean, sd, error, (mean - reach, mean + reach))


def _checked(name: str, values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or not array.size or not np.isfinite(array).all():
        raise InputError(f"{name}: expected finite numbers [seeds, splits], got shape {array.shape}")
    return array


def _sample(values: NDArray[np.float64], repeats: str) -> tuple[str, NDArray[np.float64]]:
    return ("seeds", values.mean(axis=1)) if len(values) > 1 else (repeats, values[0])


def _sd(sample: NDArray[np.float64]) -> float | None:
    # exactly 0 where all values are equal, however their mean rounds
    return float((sample - sample[0]).std(ddof=1)) if len(sample) > 1 else None
