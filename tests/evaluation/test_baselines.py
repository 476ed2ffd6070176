import numpy as np
import pytest

from jdgnn.errors import InputError
from jdgnn.evaluation import baselines, propagate
from jdgnn.network import Network, from_edges, random_projection
from tests.support import small_network


def dense_propagate(features: np.ndarray, network: Network, hops: int) -> np.ndarray:
    """The definition, edge by edge."""
    size = np.bincount(network.receivers, minlength=network.num_nodes) + 1
    for _ in range(hops):
        result = features / size[:, None]
        for sender, receiver in zip(network.senders, network.receivers, strict=True):
            result[receiver] += features[sender] / np.sqrt(size[sender] * size[receiver])
        features = result
    return features


@pytest.mark.parametrize("hops", [0, 1, 3])
def test_propagate_agrees_with_its_dense_twin(hops: int) -> None:
    network = small_network()
    features = network.features.astype(np.float64)
    np.testing.assert_allclose(propagate(features, network, hops), dense_propagate(features, network, hops), atol=1e-12)


def test_propagate_follows_directed_links_from_sender_to_receiver() -> None:
    network = from_edges([0], [1], np.eye(3))
    expected = [[1, 0, 0], [1 / np.sqrt(2), 1 / 2, 0], [0, 0, 1]]
    np.testing.assert_allclose(propagate(network.features, network, 1), expected)


def test_propagate_keeps_dtype_and_leaves_its_input_alone() -> None:
    network = small_network()
    before = network.features.copy()
    assert propagate(network.features, network, 2).dtype == np.float32
    np.testing.assert_array_equal(network.features, before)


@pytest.mark.parametrize(
    ("features", "hops", "message"), [(np.ones((3, 2)), 1, "features: .*got shape"), (None, -1, "hops")]
)
def test_propagate_refuses_what_makes_no_sense(features: np.ndarray | None, hops: int, message: str) -> None:
    network = small_network()
    with pytest.raises(InputError, match=message):
        propagate(network.features if features is None else features, network, hops)


def test_baselines_are_what_they_are_called() -> None:
    network = small_network()
    made = baselines(network, width=7, seed=3)
    propagated = [f"propagated_{hops}hop" for hops in (1, 2, 3)]
    assert list(made) == ["raw", *propagated, "projected_2hop"]
    np.testing.assert_array_equal(made["raw"], network.features)
    for hops, name in enumerate(propagated, start=1):
        np.testing.assert_allclose(made[name], dense_propagate(network.features, network, hops), rtol=1e-5, atol=1e-6)
    projected = dense_propagate(random_projection(network.features, 7, 3), network, 2)
    np.testing.assert_allclose(made["projected_2hop"], projected, rtol=1e-4, atol=1e-6)


def test_baselines_depend_on_the_seed_in_the_projection_alone() -> None:
    network = small_network()
    first, again, other = (baselines(network, width=4, seed=seed) for seed in (0, 0, 1))
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
        assert np.array_equal(first[name], other[name]) == (name != "projected_2hop")


def test_baselines_refuse_a_width_of_zero() -> None:
    with pytest.raises(InputError, match=r"width: .*got 0"):
        baselines(small_network(), width=0)
