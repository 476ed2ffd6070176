"""Models that are merged in the tick after they were sent; nothing is copied, since their senders still hold them.

Axes: N nodes, R models a node sends, M models in an inbox.
"""

from typing import Any

import chex
import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.backend.backend import Backend
from jdgnn.protocol.accounts import Counts, sent_and_dropped
from jdgnn.protocol.messages import Arrivals, arrivals
from jdgnn.protocol.model import Model
from jdgnn.protocol.traffic import Gossip
from jdgnn.protocol.transport.transport import Dispatch, Transport, Waiting, own, store


@struct.dataclass(kw_only=True)
class ModelFlight:
    """Models sent in the last tick."""

    dst: jax.Array  # [N, R] int32, candidates
    rank: jax.Array  # [N, R] uint32
    is_sent: jax.Array  # [N, R] bool, and not dropped

    def num_open(self, num_nodes: int) -> jax.Array:
        """Number of each node's models that are on their way [N]."""
        del num_nodes
        return jnp.sum(self.is_sent, axis=1, dtype=jnp.int32)

    def num_own(self, is_sent: jax.Array) -> jax.Array:
        """Number of messages sent now [N, R] that carry the node's own model [N]."""
        return jnp.sum(is_sent, axis=1, dtype=jnp.int32)


def init(gossip: Gossip, params: Any, num_nodes: int) -> ModelFlight:
    """Before any model was sent."""
    del params
    shape = (num_nodes, gossip.fanout)
    return ModelFlight(
        dst=jnp.full(shape, num_nodes, jnp.int32), rank=jnp.zeros(shape, jnp.uint32), is_sent=jnp.zeros(shape, bool)
    )


def receive(
    backend: Backend, flight: ModelFlight, tick: jax.Array, online: jax.Array | None
) -> tuple[ModelFlight, Counts]:
    """Does nothing: models enter no inbox before they are merged."""
    del backend, tick, online
    return flight, {}


def hold(backend: Backend, gossip: Gossip, flight: ModelFlight) -> tuple[ModelFlight, Counts]:
    """Lets models wait that would be merged in this tick; those without a place in an inbox are evicted."""
    messages, evicted = _landing(backend, gossip, flight)
    stays = jnp.zeros(flight.is_sent.size, bool).at[messages.index].set(messages.is_among_last(gossip.capacity))
    held: ModelFlight = flight.replace(is_sent=stays.reshape(flight.is_sent.shape))  # type: ignore[attr-defined]
    return held, {("model", "evicted"): evicted}


def inbox(backend: Backend, gossip: Gossip, flight: ModelFlight, active: jax.Array | None) -> tuple[Waiting, Counts]:
    """The last models that were sent to each node."""
    del active  # all nodes are, if no model can wait
    num_nodes, num_slots = flight.dst.shape
    messages, evicted = _landing(backend, gossip, flight)
    row = jnp.where(messages.is_among_last(gossip.capacity), messages.dst, num_nodes)
    column = messages.position - evicted.at[messages.dst].get(mode="fill", fill_value=0)
    none = jnp.full((num_nodes, gossip.capacity), num_nodes, jnp.int32)
    src = none.at[row, column].set(messages.index // num_slots, mode="drop")
    return Waiting(src, src, src < num_nodes), {("model", "evicted"): evicted}


def _landing(backend: Backend, gossip: Gossip, flight: ModelFlight) -> tuple[Arrivals, jax.Array]:
    """The models in order of arrival, and the number of those without a place at each node [N]."""
    num_nodes = flight.dst.shape[0]
    dst = jnp.where(flight.is_sent, flight.dst, num_nodes)
    messages = arrivals(backend, num_nodes, dst.ravel(), flight.rank.ravel())
    return messages, jnp.maximum(messages.num_received - gossip.capacity, 0)


def partners(flight: ModelFlight) -> tuple[jax.Array, jax.Array]:
    """The receiver of each node's one model [N], and whether only nodes that send to each other have sent []."""
    partner, is_sent = flight.dst[:, 0], flight.is_sent[:, 0]
    back = partner.at[partner].get(mode="fill", fill_value=partner.size)
    return partner, jnp.all(~is_sent | (back == jnp.arange(partner.size, dtype=jnp.int32)))


def content(flight: ModelFlight, own: Model) -> Model:
    """The models that nodes hold: none has changed since it was sent."""
    del flight
    return own


def release(flight: ModelFlight, active: jax.Array | None, is_rejected: jax.Array) -> ModelFlight:
    """Does nothing: the models sent next replace all."""
    del active, is_rejected
    return flight


def send(
    backend: Backend,
    gossip: Gossip,
    flight: ModelFlight,
    tick: jax.Array,
    dispatch: Dispatch,
    own: Model,
    usual: int | None = None,
) -> tuple[ModelFlight, Counts]:
    """Notes the receivers of this tick's models."""
    del backend, gossip, flight, tick, own, usual
    chex.assert_equal_shape(jax.tree.leaves(dispatch))
    arrives = dispatch.is_sent if dispatch.dropped is None else dispatch.is_sent & ~dispatch.dropped
    counts = sent_and_dropped("model", dispatch.is_sent, dispatch.dropped)
    return ModelFlight(dst=dispatch.dst, rank=dispatch.rank, is_sent=arrives), counts


FLIGHT = Transport(
    is_own=True,
    init=init,
    own=own,
    store=store,
    receive=receive,
    entered=None,
    hold=hold,
    inbox=inbox,
    partners=partners,
    content=content,
    release=release,
    send=send,
)
