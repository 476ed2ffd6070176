"""The entire state of N emulated nodes: what the next tick needs.

Axes: N nodes, L layers, F' units of a layer, C capacity of the sample buffer, S pushes and R models per node.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.protocol.accounts import Accounts
from jdgnn.protocol.sample_buffer import SampleBuffer


@struct.dataclass(kw_only=True)
class InFlight:
    """What was sent in the last tick and arrives in the next: receivers, N where nothing was sent.

    A message's content is what its sender holds, which does not change before it arrives.
    """

    push_dst: jax.Array  # [N, S] int32
    push_rank: jax.Array  # [N, S] uint32
    model_dst: jax.Array  # [N, R] int32
    model_rank: jax.Array  # [N, R] uint32


@struct.dataclass(kw_only=True)
class State:
    """All nodes at the end of a tick."""

    tick: jax.Array  # [] int32, ticks done
    key: jax.Array  # the run's PRNG key; tick t draws from it and t
    params: tuple[Any, ...]  # per layer {"layer": ..., "objective": ...}, [N, ...]
    opt_state: tuple[Any, ...]  # per layer [N, ...]
    embeddings: tuple[jax.Array, ...]  # per layer [N, F'], as last published; zeros before
    is_published: jax.Array  # [N] bool, whether a node has sent its embeddings at least once
    samples: SampleBuffer
    in_flight: InFlight
    age: jax.Array  # [N] int32, updates inside the model
    wakes: jax.Array  # [N] int32
    num_steps: jax.Array  # [N, L] int32, optimiser steps of each layer
    num_idle: jax.Array  # [L, 2] uint32, wakes in which a layer had nothing to learn from: high and low word
    initial_norm: jax.Array  # [], mean over nodes of the norm of the first parameters
    accounts: Accounts

    @property
    def num_nodes(self) -> int:
        """Number of nodes, N."""
        return self.wakes.shape[0]


@struct.dataclass(kw_only=True)
class TickInfo:
    """What somebody may want to see of one tick."""

    loss: jax.Array  # [N, L], zero where the layer did not step
    is_stepped: jax.Array  # [N, L] bool
    aux: tuple[dict[str, jax.Array], ...]  # per layer, what its objective tells besides the loss, each [N]


def nothing_in_flight(num_nodes: int, num_pushes: int, num_models: int) -> InFlight:
    """The network before anything was sent."""
    return InFlight(
        push_dst=jnp.full((num_nodes, num_pushes), num_nodes, jnp.int32),
        push_rank=jnp.zeros((num_nodes, num_pushes), jnp.uint32),
        model_dst=jnp.full((num_nodes, num_models), num_nodes, jnp.int32),
        model_rank=jnp.zeros((num_nodes, num_models), jnp.uint32),
    )
