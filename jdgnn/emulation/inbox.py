"""Inboxes: the models that each node finds, and which of them it accepts.

Axes: N nodes, M models in an inbox.
"""

from dataclasses import replace

import chex
import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.backend import bfloat16
from jdgnn.emulation.context import Tick
from jdgnn.emulation.state import State
from jdgnn.protocol.accounts import Counts
from jdgnn.protocol.transport import Waiting


@struct.dataclass(kw_only=True)
class Inbox:
    """The models that each node merges in this tick, oldest first; no columns where none are sent."""

    row: jax.Array  # [N, M] int32, the row of the model in the transport
    is_merged: jax.Array  # [N, M] bool
    is_rejected: jax.Array  # [N, M] bool
    staleness: jax.Array | None = None  # [N, M] int32, ticks since each was sent; None where the rule does not use it
    seed: jax.Array | None = None  # [N] uint32, rounds merged numbers; None where they are kept as computed

    @property
    def num_merged(self) -> jax.Array:
        """Models merged at each node [N]."""
        return jnp.sum(self.is_merged, axis=1, dtype=jnp.int32)

    @property
    def fold_index(self) -> jax.Array:
        """Number of models that each node merges before each of its inbox [N, M]."""
        return jnp.cumsum(self.is_merged, axis=1, dtype=jnp.int32) - 1


def open_inboxes(tick: Tick, state: State) -> tuple[Inbox, Counts]:
    """The models that each active node merges or rejects."""
    gossip, transport = tick.spec.gossip, tick.transport
    if gossip is None or transport is None:
        nothing = jnp.zeros((state.num_nodes, 0), bool)
        return Inbox(row=nothing.astype(jnp.int32), is_merged=nothing, is_rejected=nothing), {}
    waiting, counts = transport.inbox(tick.backend, gossip, state.models, tick.active)
    is_accepted = _accepted(tick, waiting)
    seed = None
    if tick.spec.param_dtype is not None:
        seed = bfloat16.seeds(tick.events.key, bfloat16.MERGING, state.num_nodes)
    inbox = Inbox(
        row=waiting.row,
        is_merged=waiting.is_there & is_accepted,
        is_rejected=waiting.is_there & ~is_accepted,
        staleness=None if gossip.merge.merge_all is None else _staleness(state, waiting),
        seed=seed,
    )
    chex.assert_equal_shape(jax.tree.leaves((inbox.row, inbox.is_merged, inbox.is_rejected, inbox.staleness)))
    counts["model", "delivered"] = inbox.num_merged
    counts["model", "rejected"] = jnp.sum(inbox.is_rejected, axis=1, dtype=jnp.int32)
    return inbox, counts


def _staleness(state: State, waiting: Waiting) -> jax.Array:
    """Ticks since each of the models was sent [N, M]."""
    return jnp.ones_like(waiting.row) if waiting.tick_sent is None else state.tick - waiting.tick_sent


def _accepted(tick: Tick, waiting: Waiting) -> jax.Array:
    """Which models pass the acceptance rule [N, M]."""
    assert tick.spec.gossip is not None
    probability = tick.spec.gossip.acceptance.probability
    if probability is None:
        return jnp.ones_like(waiting.is_there)
    assert tick.events.accept_uniform is not None
    degree = tick.topology.in_degree
    sender_degree = degree.at[waiting.src].get(mode="fill", fill_value=0)
    receiver_degree = jnp.broadcast_to(degree[:, None], waiting.src.shape)
    return tick.events.accept_uniform[:, : waiting.src.shape[1]] < probability(sender_degree, receiver_degree)


def close_inboxes(tick: Tick, state: State, inbox: Inbox) -> State:
    """Releases models that were merged, or rejected and are not passed on."""
    if tick.transport is None:
        return state
    return replace(state, models=tick.transport.release(state.models, tick.active, inbox.is_rejected))


def hold_models(tick: Tick, state: State) -> tuple[State, Counts]:
    """Lets models wait that would be merged in this tick; those without room in an inbox are evicted."""
    if tick.spec.gossip is None or tick.transport is None:
        return state, {}
    models, counts = tick.transport.hold(tick.backend, tick.spec.gossip, state.models)
    return replace(state, models=models), counts
