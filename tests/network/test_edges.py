"""Sums over neighbours, by the compiled kernel and without it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jdgnn.backend.backend import PLAIN, backend
from jdgnn.network.edges import weighted_sum_over_in_edges
from jdgnn.network.topology import Topology, topology
from tests.support import small_network

LINKS, IN_PLAIN_JAX = (topology(small_network(), one) for one in (backend(), PLAIN))
RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(LINKS.num_edges, 7))
WEIGHTS = np.where(RNG.random(LINKS.num_edges) < 0.3, 0, RNG.normal(size=LINKS.num_edges))
OWN = RNG.normal(size=(LINKS.num_nodes, 7))


@pytest.mark.parametrize("links", [LINKS, IN_PLAIN_JAX], ids=["best", "plain"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["weights", "mask"])
@pytest.mark.parametrize("has_own", [True, False])
def test_sums_and_their_gradients(links: Topology, dtype: type, kind: str, has_own: bool) -> None:
    weights = WEIGHTS if kind == "weights" else (WEIGHTS != 0).astype(float)
    expected, receivers = (OWN if has_own else np.zeros_like(OWN)).copy(), np.asarray(LINKS.receivers)
    np.add.at(expected, receivers, weights[:, None] * VECTORS)
    change = RNG.normal(size=expected.shape)
    with jax.enable_x64(dtype == np.float64):
        given = jnp.asarray(weights != 0 if kind == "mask" else weights.astype(dtype))
        own = jnp.asarray(OWN.astype(dtype)) if has_own else None

        def total(vectors: jax.Array, own: jax.Array | None) -> jax.Array:
            return weighted_sum_over_in_edges(vectors, given, links, own)

        found, back = jax.vjp(total, jnp.asarray(VECTORS.astype(dtype)), own)
        of_vectors, of_own = back(jnp.asarray(change.astype(dtype)))
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    assert_allclose(of_vectors, weights[:, None] * change[receivers], rtol=tolerance, atol=tolerance)
    if has_own:
        assert_allclose(of_own, change, rtol=tolerance)


@pytest.mark.parametrize("links", [LINKS, IN_PLAIN_JAX], ids=["best", "plain"])
def test_what_does_not_count_is_not_read(links: Topology) -> None:
    vectors = jnp.full((LINKS.num_edges, 3), jnp.nan)
    found = weighted_sum_over_in_edges(vectors, jnp.zeros(LINKS.num_edges, bool), links)
    assert not np.asarray(found).any()


def test_gradients_of_weights() -> None:
    def total(weights: jax.Array, links: Topology) -> jax.Array:
        return jnp.sum(weighted_sum_over_in_edges(jnp.asarray(VECTORS, jnp.float32), weights, links) ** 2)

    found, expected = (jax.grad(total)(jnp.asarray(WEIGHTS, jnp.float32), links) for links in (LINKS, IN_PLAIN_JAX))
    assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_sums_of_several_tables_at_once() -> None:
    tables = jnp.asarray(np.stack([VECTORS, 2 * VECTORS]), jnp.float32)
    weights = jnp.asarray(WEIGHTS, jnp.float32)
    found = jax.vmap(lambda vectors: weighted_sum_over_in_edges(vectors, weights, LINKS))(tables)
    assert_allclose(found[1], 2 * found[0], rtol=1e-6)
