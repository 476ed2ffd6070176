"""Synthetic networks: shapes, statistics, repeatability and rejected values."""

from typing import Any

import networkx
import numpy as np
import pytest

from jdgnn.errors import InputError
from jdgnn.network import (
    GENERATORS,
    Network,
    barabasi_albert,
    grid,
    k_regular,
    random_geometric,
    ring,
    stochastic_block_model,
    to_networkx,
)
from tests.bad_inputs import assert_told

SMALL: dict[str, dict[str, Any]] = {
    "barabasi_albert": {"num_nodes": 60},
    "grid": {"num_rows": 6, "num_columns": 10},
    "k_regular": {"num_nodes": 60},
    "random_geometric": {"num_nodes": 60, "radius": 0.25},
    "ring": {"num_nodes": 60},
    "stochastic_block_model": {"num_nodes": 60},
}


def _edges(network: Network) -> set[tuple[int, int]]:
    return set(zip(network.senders.tolist(), network.receivers.tolist(), strict=True))


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_is_undirected_and_repeatable(name: str) -> None:
    network, again, other = (GENERATORS[name](**SMALL[name], num_features=7, seed=seed) for seed in (3, 3, 4))
    assert network.name == name
    assert network.features.shape == (60, 7)
    assert network.features.dtype == np.float32
    assert _edges(network) == {(v, u) for u, v in _edges(network)} == _edges(again)
    np.testing.assert_array_equal(network.features, again.features)
    assert not np.array_equal(network.features, other.features)


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_has_defaults(name: str) -> None:
    network = GENERATORS[name]()
    assert network.num_nodes >= 1000
    assert np.isfinite(network.features).all()


@pytest.mark.parametrize("name", sorted(set(GENERATORS) - {"stochastic_block_model"}))
def test_features_without_classes_are_alike_at_linked_nodes(name: str) -> None:
    network = GENERATORS[name](**SMALL[name])
    columns = slice(2, None)  # those of random_geometric begin with the position
    linked = np.square(network.features[network.senders, columns] - network.features[network.receivers, columns]).mean()
    assert linked < 0.8 * 2  # twice the variance is what two unrelated nodes differ by
    np.testing.assert_allclose(network.features[:, columns].std(axis=0), 1, rtol=1e-4)


def test_stochastic_block_model_keeps_degree_homophily_and_class_sizes() -> None:
    network = stochastic_block_model(5000, 5, 8, mean_degree=12.0, homophily=0.7, seed=1)
    assert network.labels is not None
    assert np.bincount(network.labels).tolist() == [1000] * 5
    # standard deviations of about 0.07 and 0.003
    assert network.num_edges / 5000 == pytest.approx(12, abs=0.3)
    assert np.mean(network.labels[network.senders] == network.labels[network.receivers]) == pytest.approx(0.7, abs=0.01)
    assert network.num_duplicates_merged == network.num_self_loops_removed == 0


def test_stochastic_block_model_can_be_complete() -> None:
    network = stochastic_block_model(6, 2, 1, mean_degree=2.0, homophily=1.0)
    assert network.in_degree.tolist() == [2] * 6


def test_stochastic_block_model_features_depend_on_the_class() -> None:
    near, far = (stochastic_block_model(600, 3, 8, separation=separation) for separation in (0.0, 6.0))
    for network, is_far in ((near, False), (far, True)):
        centres = np.stack([network.features[network.labels == label].mean(axis=0) for label in range(3)])
        assert (np.linalg.norm(centres[0] - centres[1]) > 3) == is_far


def test_random_geometric_links_exactly_the_nodes_in_range() -> None:
    network = random_geometric(80, 0.2, 3, seed=5)
    positions = network.features[:, :2]
    distance = np.linalg.norm(positions[:, None] - positions, axis=-1)
    in_range = (distance <= 0.2) & ~np.eye(80, dtype=bool)
    assert _edges(network) == set(zip(*(ends.tolist() for ends in np.nonzero(in_range)), strict=True))


def test_barabasi_albert_is_connected_and_has_hubs() -> None:
    network = barabasi_albert(500, 2)
    assert network.num_edges == 2 * 2 * 498
    assert networkx.is_weakly_connected(to_networkx(network))
    assert network.in_degree.max() > 20


def test_k_regular_ring_and_grid_have_the_degrees_they_say() -> None:
    assert set(k_regular(40, 5).in_degree.tolist()) == {5}
    assert _edges(ring(4)) == {(0, 1), (1, 2), (2, 3), (3, 0), (1, 0), (2, 1), (3, 2), (0, 3)}
    assert _edges(grid(2, 2)) == {(0, 1), (1, 0), (0, 2), (2, 0), (1, 3), (3, 1), (2, 3), (3, 2)}
    assert networkx.diameter(to_networkx(grid(4, 7)).to_undirected()) == 3 + 6


def test_large_networks_are_made_by_number_of_links_not_of_pairs() -> None:
    network = stochastic_block_model(100_000, 10, 2, mean_degree=4.0)
    assert network.num_edges == pytest.approx(400_000, rel=0.02)
    assert random_geometric(100_000, 0.003, 2).num_nodes == 100_000


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("stochastic_block_model", {"num_nodes": 7, "num_classes": 4}, "num_nodes: .*got 7"),
        ("stochastic_block_model", {"num_classes": 1}, "num_classes: .*got 1"),
        ("stochastic_block_model", {"homophily": 1.5}, "homophily: .*got 1.5"),
        ("stochastic_block_model", {"homophily": -0.1}, "homophily: .*got -0.1"),
        ("stochastic_block_model", {"mean_degree": 0}, "mean_degree: .*got 0"),
        ("stochastic_block_model", {"num_nodes": 20, "mean_degree": 18.0}, "mean_degree: got 18.0 with homophily 0.8"),
        ("stochastic_block_model", {"num_nodes": 8, "mean_degree": 1e-9}, "mean_degree: 1e-09 made no edge"),
        ("stochastic_block_model", {"separation": float("nan")}, "separation: .*got nan"),
        ("random_geometric", {"radius": 0.0}, "radius: .*got 0.0"),
        ("random_geometric", {"num_nodes": 5, "radius": 1e-6}, "radius: 1e-06 links none of 5 nodes"),
        ("random_geometric", {"num_features": 1}, "num_features: .*got 1"),
        ("barabasi_albert", {"num_nodes": 3, "num_links": 3}, "num_nodes: .*got 3"),
        ("barabasi_albert", {"num_links": 0}, "num_links: .*got 0"),
        ("k_regular", {"num_nodes": 5, "degree": 3}, "degree: got 3 for 5 nodes"),
        ("k_regular", {"num_nodes": 4, "degree": 4}, "num_nodes: .*got 4"),
        ("ring", {"num_nodes": 2}, "num_nodes: .*got 2"),
        ("ring", {"num_nodes": 10, "num_features": 0}, "num_features: .*got 0"),
        ("ring", {"num_nodes": 10, "seed": -1}, "seed: .*got -1"),
        ("grid", {"num_rows": 1, "num_columns": 1}, "num_columns: .*got 1"),
        ("grid", {"num_rows": 2.0}, "num_rows: .*got 2.0"),
        (
            "grid",
            {"num_rows": 10**6, "num_columns": 10**5},
            "num_rows: got 1000000, which makes an array of 100,000,000,000",
        ),
        ("stochastic_block_model", {"num_nodes": 10**11}, "num_nodes: got 100000000000, .* stay below"),
        ("random_geometric", {"num_nodes": 10**11}, "num_nodes: got 100000000000, .* stay below"),
        ("barabasi_albert", {"num_nodes": 10**11}, "num_nodes: got 100000000000, .* stay below"),
        (
            "barabasi_albert",
            {"num_nodes": 10**7, "num_features": 1, "num_links": 300},
            "num_links: got 300, .* stay below",
        ),
        ("k_regular", {"num_nodes": 10**11}, "num_nodes: got 100000000000, .* stay below"),
        ("ring", {"num_nodes": 10**11}, "num_nodes: got 100000000000, .* stay below"),
        ("ring", {"num_nodes": 10, "num_features": 10**10}, "num_features: got 10000000000, .* stay below"),
    ],
)
def test_impossible_values_are_refused(name: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as rejected:
        GENERATORS[name](**arguments)
    given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    assert_told("Generated networks", f"{name}({given})", rejected.value)
