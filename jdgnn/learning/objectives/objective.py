"""The type of objectives, and functions that most of them share."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Objective(NamedTuple):
    """The self-supervised loss of one layer of one node; no labels.

    Axes: F features that enter the layer, F' that leave it, K positives, C samples (negatives).

    Members:
      init: `(key, num_units, dtype) -> params`, the objective's own parameters for one node, or () for none; they are
        trained and travel with the layer's.
      apply: `(params, encode, own [F], aggregated [F], positives [K, F'], pos_mask [K], negatives [C, F'],
        neg_mask [C], key) -> (loss, aux)` where `encode(own, aggregated) -> [F']` is the layer at this node's
        parameters, and aux is a dict of scalar metrics. Entries whose mask is False must not count, and must
        leave gradients finite even if nothing else is there.
      is_defined: `(pos_mask [K], neg_mask [C]) -> bool`, whether enough has arrived for the loss to be defined; if not,
        the layer does not step.
      view: `(own [F], aggregated [F], key) -> (own, aggregated)`, the input of the layer for the loss, such as a view
        with hidden features; `apply` gets it as `own` and `aggregated`. The node publishes the embedding of its
        unchanged input. None if both are the same.

    Positives and negatives are constants: no gradient enters another node.
    """

    init: Callable[..., Any]
    apply: Callable[..., Any]
    is_defined: Callable[..., jax.Array]
    view: Callable[..., tuple[jax.Array, jax.Array]] | None = None


def no_params(key: jax.Array, num_units: int, dtype: Any) -> tuple[()]:
    """The `init` of an objective without parameters."""
    del key, num_units, dtype
    return ()


def both_kinds(pos_mask: jax.Array, neg_mask: jax.Array) -> jax.Array:
    """The `is_defined` of an objective that needs a positive and a sample."""
    return jnp.any(pos_mask) & jnp.any(neg_mask)


def masked_mean(values: jax.Array, mask: jax.Array) -> jax.Array:
    """Mean of the entries [n, ...] whose mask [n] is True, zero if there is none."""
    count = jnp.sum(mask, dtype=values.dtype)
    is_there = mask.reshape(mask.shape + (1,) * (values.ndim - 1))
    return jnp.sum(jnp.where(is_there, values, 0), axis=0) / jnp.maximum(count, 1)
