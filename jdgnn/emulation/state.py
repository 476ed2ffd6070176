"""The complete state of N emulated nodes, from which the next tick follows.

Axes: N nodes, E directed edges, L layers, F' units of a layer, C capacity of the sample buffer, D longest delay of
embeddings and pushes.
"""

from typing import Any

import jax
import numpy as np
from flax import struct

from jdgnn.backend.calls import Step
from jdgnn.checks import check_not_consumed, is_consumed
from jdgnn.errors import InputError
from jdgnn.learning.optimizers.merged import without_moments
from jdgnn.network.identity import differences
from jdgnn.network.network import Network
from jdgnn.protocol.accounts import Accounts
from jdgnn.protocol.mailbox import Mailbox
from jdgnn.protocol.pushes import PushFlight
from jdgnn.protocol.roles import HONEST
from jdgnn.protocol.sample_buffer import SampleBuffer
from jdgnn.protocol.transport import ModelFlight, ModelPool


@struct.dataclass(kw_only=True)
class State:
    """All nodes at the end of a tick; None stands for a buffer that this emulator does not need."""

    tick: jax.Array  # [] int32, ticks done
    network: jax.Array  # [3, 4] uint32, the network of this state; see `jdgnn.network.identity`
    key: jax.Array  # the run's PRNG key; tick t draws from it and t
    availability: tuple[Any, ...]  # memories of clocks and presence, by node, then those of links
    joined: jax.Array | None  # [N] bool, nodes that had joined by the last tick; None = all
    attendance: jax.Array | None  # [2, 2] uint32, node-ticks joined and online: high and low word; None = all
    role: jax.Array | None  # [N] int8, see `protocol.roles`; None = all are honest
    content: Any  # memory of the content of model messages [N, ...]; None = whole models are sent
    params: tuple[Any, ...]  # per layer {"layer": ..., "objective": ...}, and "moments" if they are merged, [N, ...]
    opt_state: tuple[Any, ...]  # per layer [N, ...]
    embeddings: tuple[jax.Array, ...]  # per layer [N, F'], as last computed; zeros before
    embedded_at: jax.Array  # [N] int32, tick in which they were computed; -1 = never
    history: tuple[jax.Array, ...] | None  # per layer [N, D+1, F'], embeddings of the last ticks; see protocol.rings
    mailbox: Mailbox | None
    samples: SampleBuffer | None
    pushes: PushFlight | None
    models: ModelPool | ModelFlight | None
    age: jax.Array  # [N] int32, updates that the model contains
    weight: jax.Array | None  # [N], of the model, if the merge rule divides weights
    wakes: jax.Array  # [N] int32
    num_steps: jax.Array  # [N, L] int32, optimiser steps of each layer
    num_idle: jax.Array  # [L, 2] uint32, wakes in which a layer made no step: high and low word
    push_schedule: Any  # memory of the schedule of pushes, by node
    model_schedule: Any  # the same for models
    num_excess: jax.Array  # [2, 2] uint32, pushes and models asked for beyond the fanout: high and low word
    num_unplaced: jax.Array  # [2] uint32, models sent without a place in the pool: high and low word
    num_crowded: jax.Array  # [] int32, ticks with more nodes awake than `active_fraction`
    initial_norm: jax.Array  # [], mean over nodes of the norm of the first parameters
    accounts: Accounts
    pending: tuple[dict[str, Step], ...] | None = None  # per layer, deferred steps; only within a chunk, see `in_place`

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
        """Nodes that metrics cover [N]: those that have joined and are honest; None for all."""
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
    """Values of one tick that metrics need."""

    loss: jax.Array  # [N, L], zero where the layer did not step
    is_stepped: jax.Array  # [N, L] bool
    aux: tuple[dict[str, jax.Array], ...]  # per layer, further values of its objective, each [N]
    online: jax.Array  # [N] bool
    active: jax.Array  # [N] bool
    held_at: jax.Array | None  # [N] int32, `embedded_at` before this tick; None where mailboxes hold what was used
    oldest: jax.Array | None = None  # [] int32, tick of the oldest embeddings that were used; None where none expires


def check_alive(state: Any) -> None:
    """Raises InputError unless this is a state whose arrays exist."""
    if not isinstance(state, State):
        raise InputError(f"state: expected a jdgnn.State of emulator.init or a run, got {type(state).__name__}")
    check_not_consumed("state", state)


def check_network_of(state: State, network: Network) -> None:
    """Raises InputError unless the network is that of the state, as far as both are known."""
    differing = differences(np.asarray(state.network), network.identity)
    if differing:
        raise InputError(
            f"network: expected the one that the state was made for, got another one: {differing}; give the state's "
            "own, or make a new state with emulator.init"
        )
