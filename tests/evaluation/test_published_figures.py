"""The baselines reach the figures known for the real networks: probe, propagation and splits mean what others mean."""

from pathlib import Path

import numpy as np
import pytest

from jdgnn.evaluation import baselines, linear_probe, probe_table
from jdgnn.network import Network, Splits
from jdgnn.network.datasets import load


def first_splits(network: Network, num_splits: int) -> Splits:
    assert network.splits is not None
    splits = network.splits
    return Splits(**{part: getattr(splits, part)[:num_splits] for part in ("train", "validation", "test")})


def assert_figures(network: Network, expected: dict[str, tuple[float, float]], num_splits: int) -> None:
    """`expected` holds percent and tolerance for each baseline."""
    made = baselines(network, width=64)
    results = probe_table({name: made[name] for name in expected}, network, splits=first_splits(network, num_splits))
    for name, (percent, tolerance) in expected.items():
        assert 100 * results[name].mean == pytest.approx(percent, abs=tolerance), results[name]
        assert results[name].num_unconverged == 0


def test_digits_two_labels_per_class() -> None:
    assert_figures(load("digits"), {"raw": (74.8, 2.5), "propagated_2hop": (84.2, 2.5)}, 10)


@pytest.mark.shared_data
def test_cora_public_split(data_root: Path) -> None:
    network = load("cora", data_root=data_root)
    # one test of 1000 nodes: a binomial standard deviation of 1.2
    expected = {
        "raw": (60.4, 1.2),
        "propagated_1hop": (77.9, 1.5),
        "propagated_2hop": (80.5, 1.5),
        "propagated_3hop": (81.5, 1.5),
    }
    assert_figures(network, expected, 1)


@pytest.mark.shared_data
def test_cora_random_projection(data_root: Path) -> None:
    network = load("cora", data_root=data_root)
    projected = [baselines(network, width=256, seed=seed)["projected_2hop"] for seed in range(4)]
    assert 100 * np.mean([linear_probe(each, network).mean for each in projected]) == pytest.approx(77.2, abs=1.1)


@pytest.mark.shared_data
def test_freifunk_propagation_hurts(data_root: Path) -> None:
    network = load("freifunk", data_root=data_root)
    assert_figures(network, {"raw": (70.2, 1.5), "propagated_1hop": (60.0, 1.5)}, 3)


@pytest.mark.shared_data
def test_freifunk_cities_are_told_by_firmware_and_links(data_root: Path) -> None:
    network = load("freifunk", task="city", data_root=data_root)
    assert_figures(network, {"raw": (98.0, 0.5), "propagated_1hop": (98.9, 0.5), "propagated_2hop": (99.3, 0.5)}, 3)


@pytest.mark.shared_data
def test_freifunk_gateways_give_themselves_away(data_root: Path) -> None:
    network = load("freifunk", task="gateway", data_root=data_root)
    assert_figures(network, {"raw": (100.0, 0.2), "propagated_1hop": (92.9, 3.0), "propagated_2hop": (99.1, 0.7)}, 3)


@pytest.mark.shared_data
def test_minesweeper_needs_its_links(data_root: Path) -> None:
    network = load("minesweeper", data_root=data_root)
    expected = {"raw": (52.0, 1.0), "propagated_1hop": (82.3, 1.0), "propagated_2hop": (72.5, 1.0)}
    assert_figures(network, expected, 3)
