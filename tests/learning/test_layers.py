"""Layers of a user's own: flax modules, other widths, and what is rejected."""

from typing import Any

import flax.linen as linen
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jdgnn
from jdgnn.learning import aggregation
from jdgnn.network.topology import topology
from tests.support import small_emulator, small_network


class Attention(nnx.Module):
    """Weighs neighbours by a per-node query; two heads side by side."""

    def __init__(self, num_features: int, *, rngs: nnx.Rngs, param_dtype: Any) -> None:
        self.ask = nnx.Linear(num_features, 2 * num_features, rngs=rngs, param_dtype=param_dtype)
        self.linear = nnx.Linear(2 * num_features, 4, rngs=rngs, param_dtype=param_dtype)

    def __call__(self, own: jax.Array, aggregated: jax.Array) -> jax.Array:
        return jnp.tanh(self.linear(aggregated.ravel()))

    def query(self, own: jax.Array) -> jax.Array:
        return self.ask(own).reshape(2, -1)


def attend(own: Any, received: Any, received_mask: Any, links: Any, query: Any) -> jax.Array:
    score = jnp.einsum("ehf,ef->eh", query[links.receivers], received)
    weight = jnp.where(received_mask[:, None], jnp.exp(jnp.clip(score, -5, 5)), 0)
    total = aggregation.sum_over_in_edges(weight, links)
    pulled = aggregation.sum_over_in_edges(weight[:, :, None] * received[:, None, :], links)
    return pulled / jnp.maximum(total, 1e-9)[:, :, None]


class LinenSum(linen.Module):
    @linen.compact
    def __call__(self, own: jax.Array, aggregated: jax.Array) -> Any:
        return linen.Dense(4)(own + aggregated)


@pytest.mark.parametrize(
    "layer",
    [jdgnn.from_nnx(Attention, attend, query="query"), jdgnn.from_linen(LinenSum(), aggregation.mean)],
    ids=["attention with two heads", "linen"],
)
def test_flax_modules_are_layers_and_train(layer: jdgnn.Layer) -> None:
    network = small_network()
    emulator = small_emulator(layers=[layer, jdgnn.gcn(3)])
    state = emulator.init(jax.random.key(0), network)
    before = [np.asarray(leaf) for leaf in jax.tree.leaves(state.params[0])]
    state, _ = jdgnn.run(emulator, state, network, 5)
    for first, last in zip(before, jax.tree.leaves(state.params[0]), strict=True):
        assert np.isfinite(last).all()
        assert (first != last).any()


def test_the_same_module_is_the_same_layer() -> None:
    assert jdgnn.from_nnx(Attention, attend) is jdgnn.from_nnx(Attention, attend)
    assert jdgnn.from_linen(LinenSum(), attend) is jdgnn.from_linen(LinenSum(), attend)


@pytest.mark.parametrize("make", [jdgnn.gcn, jdgnn.gat])
def test_an_own_path_adds_a_map_of_the_own_vector(make: Any) -> None:
    layer, plain = make(3, "identity", False, own=True), make(3, "identity", False)
    params = layer.init(jax.random.key(0), 4, jnp.float32)
    own, aggregated = jnp.arange(4.0), jnp.ones((1, 4) if make is jdgnn.gat else 4)
    without = {name: leaf for name, leaf in params.items() if name != "own"}
    expected = plain.apply(without, own, aggregated) + own @ params["own"]["kernel"]
    np.testing.assert_allclose(layer.apply(params, own, aggregated), expected, rtol=1e-5)
    with pytest.raises(jdgnn.InputError, match=r"own: expected .*, got 1"):
        make(3, own=1)


@pytest.mark.parametrize(
    "layer",
    [
        jdgnn.gcn(3, own=True),
        pytest.param(jdgnn.gat(4, heads=2, own=True), marks=pytest.mark.long),
        pytest.param(jdgnn.sage(3, aggregator="max"), marks=pytest.mark.long),
    ],
)
def test_layers_with_options_train_alike_with_and_without_kernels(layer: jdgnn.Layer) -> None:
    network, ends = small_network(), []
    for how in (None, "plain"):
        emulator = small_emulator(layers=[layer], gossip=jdgnn.gossip(), backend=how)
        state = emulator.init(jax.random.key(0), network)
        state, _ = jdgnn.run(emulator, state, network, 6)
        ends.append(emulator.embeddings(state))
    np.testing.assert_allclose(ends[0], ends[1], rtol=2e-4, atol=2e-5)


def test_the_largest_of_what_neighbours_sent() -> None:
    network = jdgnn.network.from_edges([1, 2, 3, 0], [0, 0, 0, 1], np.zeros((4, 2)))
    received = jnp.array([[1.0, -5.0], [2.0, -7.0], [9.0, 9.0], [-3.0, -4.0]])
    mask = jnp.array([True, True, False, True])
    found = aggregation.maximum(jnp.zeros((4, 2)), received, mask, topology(network), None)
    np.testing.assert_array_equal(found, [[2, -5], [-3, -4], [0, 0], [0, 0]])
    with pytest.raises(jdgnn.InputError, match=r"aggregator: got 'min'; allowed: max, mean"):
        jdgnn.sage(3, aggregator="min")


@pytest.mark.parametrize("heads", [3, 0])
def test_heads_divide_the_units(heads: int) -> None:
    with pytest.raises(jdgnn.InputError, match=r"heads: expected a divisor of units=4, got|heads: expected .*, got 0"):
        jdgnn.gat(4, heads=heads)
