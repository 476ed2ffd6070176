"""The arithmetic of spreads and paired differences, against NumPy and SciPy by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from jdgnn.experiment.results.statistics import paired_difference, spread

Values = NDArray[np.float64]

FIRST = np.array([[0.80, 0.82, 0.81], [0.78, 0.85, 0.80], [0.90, 0.70, 0.75], [0.66, 0.77, 0.72]])
SECOND = np.array([[0.75, 0.80, 0.82], [0.70, 0.81, 0.79], [0.85, 0.72, 0.70], [0.60, 0.79, 0.70]])


@pytest.mark.parametrize(
    ("values", "over", "sample"), [(FIRST, "seeds", FIRST.mean(axis=1)), (FIRST[:1], "splits", FIRST[0])]
)
def test_a_spread_is_over_seeds_of_means_over_splits(values: Values, over: str, sample: Values) -> None:
    found = spread(values)
    assert (found.over, found.n) == (over, len(sample))
    assert found.mean == pytest.approx(np.mean(sample))
    assert found.sd == pytest.approx(np.std(sample, ddof=1))


@pytest.mark.parametrize(("num_seeds", "over"), [(4, "seeds"), (1, "splits")])
def test_a_difference_is_that_of_pairs(num_seeds: int, over: str) -> None:
    first, second = FIRST[:num_seeds], SECOND[:num_seeds]
    pairs = [np.mean(a) - np.mean(b) for a, b in zip(first, second, strict=True)]
    pairs = pairs if num_seeds > 1 else list(first[0] - second[0])
    found = paired_difference(first, second)
    assert (found.over, found.n) == (over, len(pairs))
    assert found.mean == pytest.approx(np.mean(pairs))
    assert found.sd == pytest.approx(np.std(pairs, ddof=1))
    error = np.std(pairs, ddof=1) / np.sqrt(len(pairs))
    assert found.standard_error == pytest.approx(error)
    assert found.interval_95 == pytest.approx(stats.t.interval(0.95, len(pairs) - 1, np.mean(pairs), error))


def test_the_interval_fits_the_paired_test() -> None:
    found, test = paired_difference(FIRST, SECOND), stats.ttest_rel(FIRST.mean(axis=1), SECOND.mean(axis=1))
    interval = test.confidence_interval(0.95)
    assert found.interval_95 == pytest.approx((interval.low, interval.high))


def test_what_moves_both_alike_leaves_the_difference() -> None:
    moves = np.array([[0.5], [-0.5], [0.25], [0.0]])
    moved, found = paired_difference(FIRST + moves, SECOND + moves), paired_difference(FIRST, SECOND)
    assert moved[:5] == pytest.approx(found[:5])
    assert moved.interval_95 == pytest.approx(found.interval_95)


def test_one_pair_has_no_spread() -> None:
    assert paired_difference([[0.75]], [[0.5]])[2:] == (0.25, None, None, None)


def test_equal_values_have_no_spread_at_all() -> None:
    assert spread(np.full((3, 1), 0.1)).sd == 0
    assert paired_difference(FIRST, FIRST)[2:] == (0, 0, 0, (0, 0))


@pytest.mark.parametrize(
    ("values", "others", "message"),
    [
        ([[0.5, 0.5]], [[0.5]], r"others: expected \(1, 2\) values, to be paired, got \(1, 1\)"),
        ([0.5], [0.5], r"values: expected finite numbers \[seeds, splits\], got shape \(1,\)"),
        ([[0.5]], [[np.nan]], "others: expected"),
        (np.empty((0, 3)), np.empty((0, 3)), "values: expected"),
    ],
)
def test_what_cannot_be_paired_is_rejected(values: object, others: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_difference(np.array(values), np.array(others))
