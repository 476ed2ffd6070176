"""Features brought to one size."""

import re

import numpy as np
import pytest

from jdgnn.errors import InputError
from jdgnn.network import from_edges, scale
from jdgnn.network.narrowing import narrowing_notes
from jdgnn.network.scaling import narrowed


def test_every_feature_that_varies_has_mean_zero_and_deviation_one() -> None:
    features = np.random.default_rng(0).normal(3, [1e-4, 1, 1e6], size=(50, 3)).astype(np.float32)
    features = np.concatenate([features, np.full((50, 1), 0.1, np.float32)], axis=1)
    found = scale(from_edges([0], [1], features)).features
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=0), [1, 1, 1, 0], rtol=1e-5)


def test_nothing_else_changes() -> None:
    network = from_edges([0, 1], [1, 2], np.eye(3), labels=[0, 1, 0], name="three")
    scaled = scale(network)
    assert scaled.name == "three"
    np.testing.assert_array_equal(scaled.senders, network.senders)
    np.testing.assert_array_equal(scaled.labels, network.labels)


@pytest.mark.parametrize("first", [1_700_000_000, 1_700_000_000.25])
def test_numbers_are_narrowed_last(first: float) -> None:
    times = first + np.arange(100)[:, None]
    network = from_edges([0], [1], np.concatenate([times, times % 7], axis=1), feature_names=("last_seen", "day"))
    assert len(np.unique(network.features[:, 0])) == 100
    found = narrowed(scale(network))
    assert found.features.dtype == np.float32
    assert len(np.unique(found.features[:, 0])) == 100
    assert found.notes == ()
    assert re.search(
        r"lose values in float32: last_seen \(2 different of 100\); scale them", narrowed(network).notes[0]
    )
    assert "last_seen" in repr(network)


def test_fractions_that_fall_together_by_chance_are_not_told() -> None:
    features = np.random.default_rng(0).uniform(0.5, 1, size=(100_000, 1))
    assert len(np.unique(features.astype(np.float32))) < 100_000
    assert narrowing_notes(features) == ()


def test_numbers_too_large_to_narrow_are_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"too large for float32 in big; scale them first"):
        narrowed(from_edges([0], [1], [[1e39], [0.0]], feature_names=("big",)))
