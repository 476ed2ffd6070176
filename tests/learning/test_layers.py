"""Layers of a user's own: flax modules, other widths, and what is refused."""

from typing import Any

import flax.linen as linen
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jdgnn
from jdgnn.learning import aggregation
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
