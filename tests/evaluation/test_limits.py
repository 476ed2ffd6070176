"""The centralised limit is what nodes do that merge with all others; end to end, gradients pass between nodes."""

import dataclasses
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jdgnn
from jdgnn.evaluation import centralised, end_to_end
from tests.support import small_network

LIMITS = pytest.mark.parametrize("limit", [centralised, end_to_end])


@pytest.fixture(autouse=True, scope="module")
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def network() -> jdgnn.Network:
    """Everybody has neighbours, and numbers are in float64."""
    given = jdgnn.generators.ring(8, num_features=5)
    return dataclasses.replace(given, features=given.features.astype(np.float64))


def attracted() -> jdgnn.Objective:
    """Looks at neighbours alone, of which all are seen: nothing about it is random."""
    one = jdgnn.edge_reconstruction(scale=3.0)

    def apply(params, encode, own, aggregated, positives, pos_mask, negatives, neg_mask, key):  # type: ignore[no-untyped-def]
        return one.apply(params, encode, own, aggregated, positives, pos_mask, negatives, neg_mask & False, key)

    return jdgnn.Objective(init=one.init, apply=apply, is_defined=lambda pos_mask, neg_mask: jnp.any(pos_mask))


def emulator(**changes: object) -> jdgnn.Emulator:
    settings = {
        "layers": [jdgnn.gcn(4), jdgnn.sage(3)],
        "objective": attracted(),
        "optimizer": jdgnn.sgd(0.3),
        "push": jdgnn.push(fanout=1, capacity=2),
        "gossip": jdgnn.gossip(
            capacity=7, fanout=7, peers=jdgnn.peers.all_to_all(), merge=jdgnn.merging.uniform_mean()
        ),
        "num_positives": 4,
    }
    return jdgnn.Emulator(**settings | changes)  # type: ignore[arg-type]


def test_the_centralised_limit_is_merging_with_all_others() -> None:
    parts, given = emulator(), network()
    state = parts.init(jax.random.key(3), given)
    state, _ = jdgnn.run(parts, state, given, 12)
    found = centralised(parts, given, 12, jax.random.key(3))
    assert_allclose(found, parts.embeddings(state), rtol=1e-10, atol=1e-12)


def test_it_starts_as_the_emulator_does() -> None:
    parts, given = emulator(), network()
    untrained = parts.encode(parts.init(jax.random.key(1), given).params, given)
    assert_allclose(end_to_end(parts, given, 1, jax.random.key(1)), untrained, rtol=1e-12)


def test_end_to_end_gradients_pass_from_the_last_layer_to_the_first() -> None:
    parts, given = emulator(optimizer=jdgnn.sgd(1.0)), network()
    first = slice(0, 4)
    one, two = (end_to_end(parts, given, ticks, jax.random.key(0)) for ticks in (2, 3))
    assert np.abs(one[:, first] - two[:, first]).max() > 1e-6


@LIMITS
@pytest.mark.parametrize("layer", [jdgnn.gat(4, heads=2), jdgnn.gin(4)])
def test_every_layer_learns_and_each_call_gives_the_same_bits(limit, layer: jdgnn.Layer) -> None:  # type: ignore[no-untyped-def]
    parts = emulator(layers=[layer], objective=jdgnn.masked_input(jdgnn.info_nce()), optimizer=jdgnn.adam(0.1))
    seen: list[int] = []
    given = small_network()
    embeddings = limit(parts, given, 7, jax.random.key(0), every=3, watch=lambda tick, _: seen.append(tick))
    assert seen == [3, 6, 7]
    assert_array_equal(embeddings, limit(parts, given, 7, jax.random.key(0)))
    assert np.isfinite(embeddings).all()
    assert np.abs(embeddings - limit(parts, given, 1, jax.random.key(0))).max() > 1e-3


@LIMITS
def test_what_makes_no_sense_is_refused(limit) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(jdgnn.InputError, match=r"ticks: .*got 0"):
        limit(emulator(), network(), 0, jax.random.key(0))
    with pytest.raises(jdgnn.InputError, match=r"every: .*got 0"):
        limit(emulator(), network(), 1, jax.random.key(0), every=0)
    with pytest.raises(jdgnn.InputError, match="emulator: it has no push"):
        limit(emulator(push=None), network(), 1, jax.random.key(0))
