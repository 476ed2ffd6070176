"""The networks on which own features count: what tells their classes, what the default makes of it, and the table."""

import json

import jax
import numpy as np
import pytest

import jdgnn
from bench import own_features
from jdgnn import evaluation


@pytest.mark.long
def test_the_default_is_level_with_features_that_tell_the_class_where_links_mislead() -> None:
    network = own_features.hosts(0, 450)
    recipe = jdgnn.recipe(network.num_features, ticks=8)
    state = recipe.emulator.init(jax.random.key(0), network)
    state, _ = jdgnn.run(recipe.emulator, state, network, recipe.ticks)
    learned = recipe.emulator.embeddings(state)
    found = evaluation.linear_probe(learned, network, own_features=recipe.own_features)
    best = max(
        evaluation.probe_table(evaluation.baselines(network, width=128), network).values(), key=lambda one: one.mean
    )
    # five tests of some 180 nodes: a standard error below 1.5 points
    assert found.mean > best.mean - 0.03
    assert evaluation.linear_probe(learned, network).mean < best.mean - 0.3
    assert found.num_at_edge == best.num_at_edge == 0


@pytest.mark.parametrize(("draw", "features", "degree"), [("mesh", 0.5, 0.0), ("roles", 0.0, 0.5)])
def test_features_or_degrees_tell_the_class(draw: str, features: float, degree: float) -> None:
    network = own_features.NETWORKS[draw](0)
    chance = 1 / 6 if draw == "mesh" else 1 / 5
    by_features = evaluation.linear_probe(network.features, network).mean
    by_degree = evaluation.linear_probe(np.log1p(network.in_degree)[:, None], network).mean
    assert (by_features > chance + features) if features else (by_features < chance + 0.1)
    assert (by_degree > chance + degree) if degree else (by_degree < chance + 0.1)


def test_the_committed_figures_stay_within_a_point_of_the_best_baseline() -> None:
    result = json.loads(own_features.RESULT.read_text())
    assert list(result) == list(own_features.NETWORKS)
    for entry in result.values():
        assert np.mean([own_features._below(seed) for seed in entry["seeds"].values()]) > -1
        assert max(seed["after"] for seed in entry["distances"].values()) < 0.1
