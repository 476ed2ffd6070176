"""The entire state of N emulated nodes: what the next tick needs.

Axes: N nodes, E directed edges, L layers, F' units of a layer, C capacity of the sample buffer, D longest delay of
embeddings and pushes.
"""

from typing import Any

import jax
from flax import struct

from jdgnn.backend.calls import Step
from jdgnn.checks import is_consumed
from jdgnn.learning.optimizers.merged import without_moments
from jdgnn.protocol.accounts import Accounts
from jdgnn.protocol.mailbox import Mailbox
from jdgnn.protocol.pushes import PushFlight
from jdgnn.protocol.roles import HONEST
from jdgnn.protocol.sample_buffer import SampleBuffer
from jdgnn.protocol.transport import ModelFlight, ModelPool


@struct.dataclass(kw_only=True)
class State:
    """All nodes at the end of a tick; None stands for a buffer that this emulator has no need of."""

    tick: jax.Array  # [] int32, ticks done
    network: jax.Array  # [3, 4] uint32, which network this is the state of; see `jdgnn.network.identity`
    key: jax.Array  # the run's PRNG key; tick t draws from it and t
    availability: tuple[Any, ...]  # what clocks and presence remember of nodes, and then what is remembered of links
    joined: jax.Array | None  # [N] bool, who had joined by the last tick; None = all
    attendance: jax.Array | None  # [2, 2] uint32, node-ticks joined and online: high and low word; None = all
    role: jax.Array | None  # [N] int8, see `protocol.roles`; None = all are honest
    content: Any  # what the content of model messages remembers of each node [N, ...]; None = whole models are sent
    params: tuple[Any, ...]  # per layer {"layer": ..., "objective": ...}, and "moments" if they are merged, [N, ...]
    opt_state: tuple[Any, ...]  # per layer [N, ...]
    embeddings: tuple[jax.Array, ...]  # per layer [N, F'], as last computed; zeros before
    embedded_at: jax.Array  # [N] int32, tick in which they were computed; -1 = never
    history: tuple[jax.Array, ...] | None  # per layer [N, D+1, F'], embeddings of the last ticks; see protocol.rings
    mailbox: Mailbox | None
    samples: SampleBuffer | None
    pushes: PushFlight | None
    models: ModelPool | ModelFlight | None
    age: jax.Array  # [N] int32, updates inside the model
    weight: jax.Array | None  # [N], of the model, where the merge rule divides one
    wakes: jax.Array  # [N] int32
    num_steps: jax.Array  # [N, L] int32, optimiser steps of each layer
    num_idle: jax.Array  # [L, 2] uint32, wakes in which a layer had nothing to learn from: high and low word
    push_schedule: Any  # what the schedule of pushes remembers of each node
    model_schedule: Any  # the same for models
    num_excess: jax.Array  # [2, 2] uint32, pushes and models wanted beyond the fanout: high and low word
    num_unplaced: jax.Array  # [2] uint32, models sent for which there was no place: high and low word
    num_crowded: jax.Array  # [] int32, ticks in which more nodes were awake than there was compact room for
    initial_norm: jax.Array  # [], mean over nodes of the norm of the first parameters
    accounts: Accounts
    pending: tuple[dict[str, Step], ...] | None = None  # per layer, steps put off; only within a chunk, see `fused`

    @property
    def num_nodes(self) -> int:
        """Number of nodes, N."""
        return self.wakes.shape[0]

    @property
    def models_alone(self) -> tuple[Any, ...]:
        """The parameters per layer [N, ...] without the moments of optimisers."""
        return tuple(map(without_moments, self.params))

    @property
    def counted(self) -> jax.Array | None:
        """Over which nodes metrics are taken [N]: those that have joined and are honest; None for all."""
        if self.role is None:
            return self.joined
        honest = self.role == HONEST
        return honest if self.joined is None else honest & self.joined

    def __repr__(self) -> str:
        if is_consumed(self):
            return "State(consumed by a run, which returned the next)"
        return f"State({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__dataclass_fields__)})"


@struct.dataclass(kw_only=True)
class TickInfo:
    """What somebody may want to see of one tick."""

    loss: jax.Array  # [N, L], zero where the layer did not step
    is_stepped: jax.Array  # [N, L] bool
    aux: tuple[dict[str, jax.Array], ...]  # per layer, what its objective tells besides the loss, each [N]
    online: jax.Array  # [N] bool
    active: jax.Array  # [N] bool
    held_at: jax.Array | None  # [N] int32, `embedded_at` before this tick, where no mailbox holds what was used
    oldest: jax.Array | None = None  # [] int32, the first tick of sending of what was used; None where none expires
