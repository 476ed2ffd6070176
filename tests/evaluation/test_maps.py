"""Maps of embeddings are repeatable, keep what they say, and reject what they cannot show."""

import sys
from typing import Any

import numpy as np
import pytest

from jdgnn.errors import InputError
from jdgnn.evaluation import maps, two_dimensions


def _groups(num_nodes: int = 30, width: int = 6) -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.normal(size=(num_nodes, width)) + 10 * (np.arange(num_nodes) % 2)[:, None]


def test_the_plane_of_pca_holds_the_distances_of_what_lies_in_a_plane() -> None:
    generator = np.random.default_rng(1)
    flat = generator.normal(size=(20, 2)) @ np.linalg.qr(generator.normal(size=(5, 2)))[0].T + 3
    place = two_dimensions(flat)
    wanted = np.linalg.norm(flat[:, None] - flat[None], axis=-1)
    np.testing.assert_allclose(np.linalg.norm(place[:, None] - place[None], axis=-1), wanted, atol=1e-9)
    assert place[:, 0].var() >= place[:, 1].var()


def test_signs_do_not_depend_on_the_order_of_nodes() -> None:
    vectors = _groups()
    np.testing.assert_allclose(two_dimensions(vectors[::-1])[::-1], two_dimensions(vectors), atol=1e-9)


@pytest.mark.parametrize("method", ["tsne", pytest.param("umap", marks=pytest.mark.long)])
def test_neighbours_stay_together_and_the_same_seed_gives_the_same_map(method: str) -> None:
    vectors = _groups()
    place = two_dimensions(vectors, method, seed=1)
    np.testing.assert_array_equal(two_dimensions(vectors, method, seed=1), place)
    distance = np.linalg.norm(place[:, None] - place[None], axis=-1) + np.diag(np.full(len(place), np.inf))
    assert (distance.argmin(axis=1) % 2 == np.arange(len(place)) % 2).mean() > 0.9


@pytest.mark.parametrize("method", ["pca", "tsne", pytest.param("umap", marks=pytest.mark.long)])
@pytest.mark.parametrize("vectors", [np.zeros((6, 3)), np.ones((1, 4)), np.arange(6.0)[:, None], np.eye(5)[:4]])
def test_odd_shapes_have_a_map(method: str, vectors: Any) -> None:
    place = two_dimensions(vectors, method)
    assert place.shape == (len(vectors), 2)
    assert np.isfinite(place).all()


def test_too_many_nodes_for_tsne_are_refused() -> None:
    with pytest.raises(InputError, match="10,001 nodes"):
        two_dimensions(np.zeros((maps.MOST_TSNE_NODES + 1, 2)), "tsne")


@pytest.mark.parametrize(
    ("embeddings", "method", "told"),
    [
        (np.eye(3), "mds", "method: got 'mds'; allowed"),
        (np.zeros(3), "pca", "embeddings: .*got shape"),
        ([[np.nan]], "pca", "finite"),
    ],
)
def test_what_is_no_map_is_refused(embeddings: Any, method: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        two_dimensions(embeddings, method)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(InputError, match=r"pip install 'jdgnn\[umap\]'"):
        two_dimensions(np.eye(5), "umap")
