"""Rules that weigh the models of an inbox by inner products of their differences from the node's own model.

Axes: M models in an inbox.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.protocol.model import Model, Received


def merge_by_inner_products(own: Model, received: Received, *, weigh_all: Callable[..., Any]) -> Model:
    """The `merge_all` of rules that weigh the whole inbox; see `jdgnn.merging.inbox_mean_rule`."""
    differences = jax.tree.map(lambda there, here: there - here, received.params, own.params)
    products = jnp.asarray(sum(map(_products, jax.tree.leaves(differences))))
    own_square = sum(jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(own.params))
    weights, age = weigh_all(products, own_square, own.age, received._replace(params=None))
    weights = jnp.where(received.mask, jnp.asarray(weights, products.dtype), 0)
    return own._replace(params=combined(own.params, received.params, weights), age=age)


def _products(rows: jax.Array) -> jax.Array:
    """Inner products of all pairs of rows [M, M]."""
    rows = rows.reshape(rows.shape[0], -1)
    # Unlike a matrix product, this adds up each pair in the same order, however many rows there are.
    return jnp.sum(rows[:, None] * rows[None], axis=2)


def combined(params: Any, received: Any, weights: jax.Array) -> Any:
    """Own + Σ wⱼ (receivedⱼ − own) in inbox order, in the dtypes of the own model; weights [M] sum to at most 1.

    A model of weight 0 has no effect, even if it is not finite; a model of weight 1 is the result, bit for bit.

    Example:
      >>> float(combined(jnp.float32(0), jnp.array([4.0, jnp.nan]), jnp.array([0.25, 0.0])))
      1.0
    """

    def of_leaf(own: jax.Array, rows: jax.Array) -> jax.Array:
        total = own
        for row, weight in zip(rows, weights.astype(own.dtype), strict=True):
            total = jnp.where(weight == 0, total, total + weight * (row - own))
        for row, weight in zip(rows, weights, strict=True):
            total = jnp.where(weight == 1, row, total)
        return total

    return jax.tree.map(of_leaf, params, received)
