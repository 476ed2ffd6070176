"""Metrics at the end of a recorded tick.

Axes: N nodes, E directed edges, L layers, Q quantiles.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.backend.backend import Backend
from jdgnn.backend.plain import sum_over_nodes
from jdgnn.emulation.collapse import effective_rank
from jdgnn.emulation.spread import spread_of
from jdgnn.emulation.start import message_bytes
from jdgnn.emulation.state import State, TickInfo
from jdgnn.network.edges import sum_over_in_edges
from jdgnn.network.topology import Topology
from jdgnn.protocol.accounts import OUTCOMES, byte_sums

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@struct.dataclass(kw_only=True)
class Measurement:
    """One record of the history, before it leaves the accelerator; NaN where there is nothing to measure."""

    tick: jax.Array  # []
    online: jax.Array  # [], share of joined nodes
    active: jax.Array  # [], share of joined nodes
    loss: jax.Array  # [L], mean over the nodes that stepped
    stepped: jax.Array  # [L], share of joined nodes that stepped
    aux: tuple[dict[str, jax.Array], ...]  # per layer, means over the nodes that stepped
    consensus_distance: jax.Array  # []
    disagreement: jax.Array  # [L], the consensus distance of each layer by itself
    norm_ratio: jax.Array  # []
    effective_rank: jax.Array  # [L], of the embeddings of nodes that have any
    staleness: jax.Array  # [], mean over active nodes of the mean over their neighbours
    quantiles: dict[str, jax.Array]  # [Q] each, over nodes: those of `measure`
    loss_quantiles: jax.Array  # [L, Q], over the nodes that stepped
    messages: jax.Array  # [kinds, outcomes, 2, 4] uint32, since the start; see accounts.byte_sums
    attendance: jax.Array | None  # [2, 2] uint32, node-ticks joined and online since the start
    num_idle: jax.Array  # [L, 2] uint32, since the start
    num_excess: jax.Array  # [2, 2] uint32, since the start
    num_unplaced: jax.Array  # [2] uint32, since the start
    num_crowded: jax.Array  # [], since the start


def measure(topology: Topology, state: State, info: TickInfo) -> Measurement:
    """Measures the end of the tick that `info` describes, over the honest nodes that have joined."""
    dtype = info.loss.dtype
    joined = jnp.ones(state.num_nodes, bool) if state.counted is None else state.counted
    stale, is_using = staleness(topology, state, info)
    has_embedding = state.embedded_at >= 0
    if state.role is not None:
        info = info.replace(is_stepped=info.is_stepped & joined[:, None])  # type: ignore[attr-defined]
        is_using, has_embedding = is_using & joined, has_embedding & joined
    deviation, square, scale = spread_of(topology.backend, state.models_alone, joined)
    distance, norm = deviation.sum(axis=0) / scale.sum(), jnp.sqrt(square.sum(axis=0))
    spread = {
        "staleness": (stale, is_using),
        "age": (state.age.astype(dtype), joined),
        "wakes": (state.wakes.astype(dtype), joined),
        "distance": (distance, joined),
        "norm_ratio": (norm / state.initial_norm, joined),
        "bytes_sent": (_traffic(state, "sent", dtype), joined),
        "bytes_delivered": (_traffic(state, "delivered", dtype), joined),
    }
    return Measurement(
        tick=state.tick,
        online=mean_where(joined, info.online.astype(dtype)),
        active=mean_where(joined, info.active.astype(dtype)),
        loss=mean_where(info.is_stepped, info.loss),
        stepped=mean_where(joined[:, None], info.is_stepped.astype(dtype)),
        aux=tuple(
            jax.tree.map(partial(mean_where, info.is_stepped[:, index]), layer) for index, layer in enumerate(info.aux)
        ),
        consensus_distance=mean_where(joined, distance),
        disagreement=mean_where(joined[:, None], deviation.T) / scale,
        norm_ratio=mean_where(joined, norm) / state.initial_norm,
        effective_rank=jnp.stack([effective_rank(layer, has_embedding) for layer in state.embeddings]),
        staleness=mean_where(is_using, stale),
        quantiles={name: quantiles(topology.backend, *entry) for name, entry in spread.items()},
        loss_quantiles=jnp.stack(
            [quantiles(topology.backend, *column) for column in zip(info.loss.T, info.is_stepped.T, strict=True)]
        ),
        messages=byte_sums(state.accounts.words),
        attendance=state.attendance,
        num_idle=state.num_idle,
        num_excess=state.num_excess,
        num_unplaced=state.num_unplaced,
        num_crowded=state.num_crowded,
    )


def _traffic(state: State, outcome: str, dtype: Any) -> jax.Array:
    """Payload bytes of all kinds that each node has sent or received since the start [N], rounded to the dtype."""
    high, low = jnp.moveaxis(state.accounts.words[:, :, OUTCOMES.index(outcome)].astype(dtype), -1, 0)
    return jnp.sum((high * 2.0**32 + low) * jnp.asarray(message_bytes(state), dtype), axis=1)


def staleness(topology: Topology, state: State, info: TickInfo) -> tuple[jax.Array, jax.Array]:
    """Mean age in ticks of what each node used of its in-neighbours [N], at least 1, and which nodes used any [N]."""
    if state.mailbox is not None:
        version = state.mailbox.version
    else:
        assert info.held_at is not None
        version = info.held_at[topology.senders]
    oldest = 0 if info.oldest is None else info.oldest
    stale, is_using = mean_elapsed(topology, version, state.tick - 1, info.loss.dtype, oldest)
    return stale, info.active & is_using


def mean_elapsed(
    topology: Topology, version: jax.Array, tick: jax.Array, dtype: Any, oldest: jax.Array | int = 0
) -> tuple[jax.Array, jax.Array]:
    """Mean over in-neighbours of the ticks from the held version of each [E], -1 for none, to `tick`.

    Versions before the tick `oldest` are left out. Returns the mean at each node [N], zero without any, and which nodes
    hold any [N].
    """
    is_held = version >= oldest
    total = sum_over_in_edges(jnp.where(is_held, tick - version, 0).astype(dtype), topology)
    count = sum_over_in_edges(is_held.astype(dtype), topology)
    return total / jnp.maximum(count, 1), count > 0


def quantiles(backend: Backend, values: jax.Array, mask: jax.Array) -> jax.Array:
    """Quantiles [Q] of values [N] where the mask [N] is True; each occurs among the values; NaN if there is none."""
    return backend.quantiles(values, mask, jnp.asarray(QUANTILES, jnp.float32))


def mean_where(mask: jax.Array, values: jax.Array) -> jax.Array:
    """Mean over nodes of values [N, ...] where the mask, which is broadcast, is True; NaN if there is none."""
    count = jnp.sum(mask, axis=0, dtype=values.dtype)
    return jnp.where(count > 0, sum_over_nodes(jnp.where(mask, values, 0)) / jnp.maximum(count, 1), jnp.nan)
