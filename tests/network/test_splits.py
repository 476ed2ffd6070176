"""Random splits."""

from typing import Any

import numpy as np
import pytest

from jdgnn.errors import InputError
from jdgnn.network import random_splits

LABELS = np.repeat([0, 1, 2], [10, 30, 60])


def test_parts_are_disjoint_and_cover_every_node() -> None:
    splits = random_splits(LABELS, 4, train=0.2, validation=0.3)
    assert splits.num_splits == 4
    counts = splits.train.astype(int) + splits.validation + splits.test
    assert (counts == 1).all()
    assert splits.train.sum(axis=1).tolist() == [20] * 4
    assert splits.validation.sum(axis=1).tolist() == [30] * 4


def test_per_class_is_stratified() -> None:
    splits = random_splits(LABELS, 5, per_class=3, validation=7)
    for mask in splits.train:
        assert np.bincount(LABELS[mask]).tolist() == [3, 3, 3]
    assert splits.validation.sum(axis=1).tolist() == [7] * 5


def test_a_split_depends_on_the_seed_and_its_number_only() -> None:
    few, many, other = (random_splits(LABELS, n, seed=seed) for n, seed in ((2, 0), (5, 0), (2, 1)))
    np.testing.assert_array_equal(few.train, many.train[:2])
    assert not np.array_equal(few.train[0], few.train[1])
    assert not np.array_equal(few.train, other.train)


def test_only_eligible_nodes_stand_in_a_split() -> None:
    eligible = np.arange(100) % 2 == 0
    splits = random_splits(LABELS, 3, train=0.2, validation=0, eligible=eligible)
    np.testing.assert_array_equal(splits.train | splits.test, np.broadcast_to(eligible, (3, 100)))
    assert splits.train.sum(axis=1).tolist() == [10] * 3


def test_training_nodes_are_drawn_uniformly() -> None:
    chosen = random_splits(LABELS, 400, train=0.1).train.sum(axis=0)
    # binomial of 400 draws at 0.1: standard deviation 6
    assert chosen.min() > 40 - 5 * 6
    assert chosen.max() < 40 + 5 * 6


def test_every_class_is_in_every_part_if_asked_and_other_splits_stay_as_they_are() -> None:
    labels = np.arange(34) % 2
    drawn: dict[str, Any] = {"labels": labels, "num_splits": 40, "per_class": 5, "validation": 0.1}
    plain, whole = random_splits(**drawn), random_splits(**drawn, every_class=True)
    has_all = [
        all(len(np.unique(labels[part[split]])) == 2 for part in (plain.validation, plain.test)) for split in range(40)
    ]
    assert 0 < sum(has_all) < 40
    for name in ("train", "validation", "test"):
        found = getattr(whole, name)
        assert all(len(np.unique(labels[mask])) == 2 for mask in found)
        assert found.sum(axis=1).tolist() == getattr(plain, name).sum(axis=1).tolist()
        np.testing.assert_array_equal(found[has_all], getattr(plain, name)[has_all])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_splits": 0}, "num_splits: .*got 0"),
        ({"per_class": 2, "train": 0.1}, "train: got 0.1 together with per_class=2"),
        ({"per_class": 11}, "per_class: got 11, and class 0 has just 10 nodes"),
        ({"per_class": 0}, "per_class: .*got 0"),
        ({"train": 1.5}, "train: .*got 1.5"),
        ({"train": 0.001}, "train: .*got 0.001 of 100 nodes"),
        ({"train": 0}, "train: .*got 0"),
        ({"validation": -1}, "validation: .*got -1"),
        ({"validation": float("nan")}, "validation: .*got nan"),
        ({"train": 50, "validation": 50}, "validation: 50 training and 50 validation nodes leave none of 100"),
        ({"labels": [0.5, 1.0]}, "labels: .*got float64"),
        ({"labels": []}, "labels: .*got float64"),
        ({"eligible": [True]}, r"eligible: .*got bool \(1,\)"),
        ({"seed": -1}, "seed: .*got -1"),
        ({"every_class": 1}, "every_class: .*got 1"),
        ({"every_class": True, "train": 50, "validation": 2}, "validation: no split with 50 training and 2 validation"),
        ({"every_class": True, "per_class": 9}, "validation: no split with 27 .* ask for more validation nodes"),
        ({"every_class": True, "train": 98, "validation": 0}, "validation: no split with 98 .*; ask for more"),
    ],
)
def test_bad_input_is_refused(changes: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"labels": LABELS, "num_splits": 2}
    with pytest.raises(InputError, match=message):
        random_splits(**(given | changes))
