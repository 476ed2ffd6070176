"""The distance of the nodes' models from their mean, and their norms, without a second copy of all of them.

Axes: N nodes, L layers.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jdgnn.backend.backend import Backend
from jdgnn.backend.backend import backend as best
from jdgnn.checks import check_not_consumed


class Spread(NamedTuple):
    """Models relative to their mean θ̄, by layer."""

    deviation: jax.Array  # [L, N], ‖θᵥ − θ̄‖²
    square: jax.Array  # [L, N], ‖θᵥ‖²
    scale: jax.Array  # [L], ‖θ̄‖²


def spread_of(backend: Backend, params: Sequence[Any], mask: jax.Array | None = None) -> Spread:
    """Squared distances and norms of models [N, ...] by layer; the mean is over nodes in the mask [N], or all."""
    layers = [_spread_of_layer(backend, layer, mask) for layer in params]
    return Spread(*map(jnp.stack, zip(*layers, strict=True)))


def _spread_of_layer(backend: Backend, layer: Any, mask: jax.Array | None) -> tuple[jax.Array, jax.Array, jax.Array]:
    leaves = jax.tree.leaves(layer)
    centres = [backend.mean_over_nodes(leaf, mask) for leaf in leaves]
    parts = [backend.distances(*pair) for pair in zip(leaves, centres, strict=True)]
    deviation, square = (sum(part[1:], start=part[0]) for part in zip(*parts, strict=True))
    return deviation, square, optax.tree.norm(centres, squared=True)


def consensus_distance(params: Any, mask: jax.Array | None = None) -> jax.Array:
    """The consensus distance: mean over nodes of ‖θᵥ − θ̄‖² / ‖θ̄‖², with θ̄ the mean model.

    Args:
      params: parameters of all nodes, a tree of [N, ...].
      mask: nodes that count [N]; None for all.

    Returns:
      The distance, zero if all models are equal.

    Raises:
      InputError: the parameters were consumed.

    Example:
      >>> float(consensus_distance(jnp.array([[1.0], [3.0]])))
      0.25
    """
    check_not_consumed("params", params)
    backend = best()
    around = spread_of(backend, (params,), mask)
    return backend.mean_over_nodes(around.deviation[0], mask) / around.scale[0]
