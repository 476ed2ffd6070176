"""Random projection of features."""

import numpy as np
import pytest

from jdgnn.errors import InputError
from jdgnn.network import project, random_projection, ring


def test_the_seed_fixes_the_projection_whatever_the_number_of_nodes() -> None:
    features = np.random.default_rng(0).normal(size=(6, 50)).astype(np.float32)
    projected = random_projection(features, 8, seed=3)
    assert projected.dtype == np.float32
    np.testing.assert_allclose(projected[2:4], random_projection(features[2:4], 8, seed=3), rtol=1e-5)
    assert not np.allclose(projected, random_projection(features, 8, seed=4))


def test_lengths_are_kept_in_expectation() -> None:
    features = np.random.default_rng(1).normal(size=(200, 300))
    ratio = np.square(random_projection(features, 4000)).sum(axis=1) / np.square(features).sum(axis=1)
    # each ratio has mean 1 and variance 2 / 4000
    np.testing.assert_allclose(ratio, 1, atol=6 * np.sqrt(2 / 4000))


def test_projecting_a_network_changes_its_features_only() -> None:
    network = ring(10, 20)
    projected = project(network, 5)
    assert projected.features.shape == (10, 5)
    assert projected.senders is network.senders
    assert network.num_features == 20


@pytest.mark.parametrize(("width", "seed", "message"), [(0, 0, "width: .*got 0"), (4, -1, "seed: .*got -1")])
def test_impossible_values_are_refused(width: int, seed: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        random_projection(np.eye(3), width, seed)
