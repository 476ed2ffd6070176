"""What is measured at the end of a recorded tick.

Axes: N nodes, L layers.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import struct

from jdgnn.emulation.per_node import per_node
from jdgnn.emulation.state import State, TickInfo

BLOCK = 1024


@struct.dataclass(kw_only=True)
class Measurement:
    """One record of the history, before it leaves the accelerator."""

    tick: jax.Array  # []
    loss: jax.Array  # [L], mean over the nodes that stepped; NaN if none did
    stepped: jax.Array  # [L], share of nodes that stepped
    aux: tuple[dict[str, jax.Array], ...]  # per layer, means over the nodes that stepped; NaN if none did
    consensus_distance: jax.Array  # []
    norm_ratio: jax.Array  # []
    messages: jax.Array  # [kinds, outcomes, 2] uint32, since the start
    num_idle: jax.Array  # [L, 2] uint32, since the start


def measure(state: State, info: TickInfo) -> Measurement:
    """Measures the end of a tick.

    Args:
      state: all nodes.
      info: of the tick that led to it.

    Returns:
      The measurement.
    """
    return Measurement(
        tick=state.tick,
        loss=mean_where(info.is_stepped, info.loss),
        stepped=mean_over_nodes(info.is_stepped.astype(info.loss.dtype)),
        aux=tuple(
            jax.tree.map(partial(mean_where, info.is_stepped[:, index]), layer) for index, layer in enumerate(info.aux)
        ),
        consensus_distance=consensus_distance(state.params),
        norm_ratio=mean_over_nodes(per_node(optax.tree.norm)(state.params)) / state.initial_norm,
        messages=state.accounts.words,
        num_idle=state.num_idle,
    )


def consensus_distance(params: Any) -> jax.Array:
    """How far the nodes' models are apart: mean over nodes of ‖θᵥ − θ̄‖² / ‖θ̄‖², with θ̄ the mean model.

    Args:
      params: parameters of all nodes, a tree of [N, ...].

    Returns:
      The distance, zero if all models are equal.

    Example:
      >>> float(consensus_distance(jnp.array([[1.0], [3.0]])))
      0.25
    """
    center = jax.tree.map(mean_over_nodes, params)
    deviation = per_node(lambda own, mean: optax.tree.norm(optax.tree.sub(own, mean), squared=True), shared=(1,))
    return mean_over_nodes(deviation(params, center)) / optax.tree.norm(center, squared=True)


def mean_where(mask: jax.Array, values: jax.Array) -> jax.Array:
    """Mean of [N, ...] over the nodes where the mask [N, ...] is True: [...], NaN if there is none."""
    count = jnp.sum(mask, axis=0, dtype=values.dtype)
    return jnp.where(count > 0, sum_over_nodes(jnp.where(mask, values, 0)) / jnp.maximum(count, 1), jnp.nan)


def mean_over_nodes(values: jax.Array) -> jax.Array:
    """Mean over the node axis of [N, ...]: [...]."""
    return sum_over_nodes(values) / values.shape[0]


def sum_over_nodes(values: jax.Array) -> jax.Array:
    """Sum over the node axis of [N, ...]: [...], block by block so that a million float32 keep their digits."""
    num_whole = values.shape[0] // BLOCK * BLOCK
    blocks = values[:num_whole].reshape(-1, BLOCK, *values.shape[1:])
    return jnp.sum(jnp.sum(blocks, axis=1), axis=0) + jnp.sum(values[num_whole:], axis=0)
