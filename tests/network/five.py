"""A small network with everything that a network can have, and what it is to be the same."""

import dataclasses
from typing import Any

import jax
import numpy as np

from jdgnn.network import Network, from_edges, random_splits


def five(num_splits: int = 2) -> Network:
    """Five nodes with labels, classes, names, splits and link quality."""
    labels = [1, 0, 1, 0, 1]
    return from_edges(
        [0, 1, 2, 3],
        [1, 0, 0, 2],
        np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32),
        labels=labels,
        splits=random_splits(labels, num_splits, train=1, validation=1),
        link_quality=[0.1, 0.5, 0.9, 1.0],
        name="five",
        class_names=("router", "accesspoint"),
        node_names=("ann", "bob", "cy", "7", "it's 1,0"),
    )


def assert_same(network: Network, other: Network, *apart: str) -> None:
    """Asserts that two networks are equal, field by field and in types, apart from these fields."""
    for field in dataclasses.fields(network):
        if field.name in apart:
            continue
        ours, theirs = getattr(network, field.name), getattr(other, field.name)
        structures: list[Any] = [jax.tree.structure(ours), jax.tree.structure(theirs)]
        assert structures[0] == structures[1], field.name
        for one, another in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
            assert getattr(one, "dtype", None) == getattr(another, "dtype", None), field.name
            np.testing.assert_array_equal(one, another, err_msg=field.name)
