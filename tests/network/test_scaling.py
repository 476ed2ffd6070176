"""Features brought to one size."""

import numpy as np

from jdgnn.network import from_edges, scale


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
