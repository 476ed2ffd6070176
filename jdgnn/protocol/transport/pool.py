"""One pool of places for models that wait, or for messages that differ from the models that their senders hold.

Models are large: each takes a place when it is sent and stays there until it is merged, evicted or undeliverable; only
the number of the place moves from flight to inbox. A ring, as for embeddings, would hold D+1 copies of all models.
Axes: N nodes, R models a node sends, M models in an inbox, Q places.
"""

from dataclasses import replace
from typing import Any

import chex
import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.backend.backend import Backend
from jdgnn.protocol.accounts import Counts, sent_and_dropped
from jdgnn.protocol.messages import arrivals
from jdgnn.protocol.model import Model
from jdgnn.protocol.traffic import Gossip
from jdgnn.protocol.transport.transport import Dispatch, Transport, Waiting, own, store


@struct.dataclass(kw_only=True)
class ModelPool:
    """The places, and facts about the model in each; N stands for no node and Q for no place."""

    params: Any  # [Q, ...], parameters of all layers, or their encoded messages
    age: jax.Array  # [Q] int32
    weight: jax.Array | None  # [Q], of models that carry one
    src: jax.Array  # [Q] int32, last sender
    dst: jax.Array  # [Q] int32, receiver while in flight
    tick_sent: jax.Array  # [Q] int32
    tick_due: jax.Array  # [Q] int32
    rank: jax.Array  # [Q] uint32
    slot: jax.Array  # [Q] int32
    is_free: jax.Array  # [Q] bool
    inbox: jax.Array  # [N, M] int32, places of waiting models, oldest first
    kept: jax.Array | None  # [N] int32, place of the model to pass on; None without pass-through

    @property
    def num_places(self) -> int:
        """Number of places, Q."""
        return self.is_free.shape[0]

    def num_open(self, num_nodes: int) -> jax.Array:
        """Number of each node's models that are on their way or wait in an inbox [N]."""
        is_waiting = jnp.zeros(self.num_places, bool).at[self.inbox].set(True, mode="drop")
        is_open = is_waiting | (self.dst < num_nodes)
        return jnp.zeros(num_nodes, jnp.int32).at[jnp.where(is_open, self.src, num_nodes)].add(1, mode="drop")

    def num_own(self, is_sent: jax.Array) -> jax.Array:
        """Number of messages sent now [N, R] that carry the node's own model, not one it has kept [N]."""
        num_sent = jnp.sum(is_sent, axis=1, dtype=jnp.int32)
        return num_sent if self.kept is None else num_sent - (self.kept < self.num_places).astype(jnp.int32)


def init(gossip: Gossip, params: Any, num_nodes: int) -> ModelPool:
    """A pool without models."""
    num_places = gossip.num_places(num_nodes)
    nothing = jnp.zeros(num_places, jnp.int32)
    return ModelPool(
        params=jax.tree.map(lambda leaf: jnp.zeros((num_places, *leaf.shape[1:]), leaf.dtype), params),
        age=nothing,
        weight=None if gossip.merge.divide is None else jnp.zeros(num_places),
        src=nothing,
        dst=jnp.full(num_places, num_nodes, jnp.int32),
        tick_sent=nothing,
        tick_due=nothing,
        rank=nothing.astype(jnp.uint32),
        slot=nothing,
        is_free=jnp.ones(num_places, bool),
        inbox=jnp.full((num_nodes, gossip.capacity), num_places, jnp.int32),
        kept=jnp.full(num_nodes, num_places, jnp.int32) if gossip.pass_through else None,
    )


def receive(backend: Backend, pool: ModelPool, tick: jax.Array, online: jax.Array | None) -> tuple[ModelPool, Counts]:
    """Puts the models that arrive in this tick into inboxes, in order of (tick sent, rank, slot)."""
    num_nodes, capacity = pool.inbox.shape
    dst = jnp.where(pool.tick_due == tick, pool.dst, num_nodes)
    every = arrivals(backend, num_nodes, dst, pool.tick_sent, pool.rank, pool.slot)
    messages, num_to_offline = every.at(online)
    num_waiting = jnp.sum(pool.inbox < pool.num_places, axis=1, dtype=jnp.int32)
    evicted = jnp.maximum(num_waiting + messages.num_received - capacity, 0)
    column = jnp.arange(capacity, dtype=jnp.int32)
    shifted = column + evicted[:, None]
    inbox = jnp.take_along_axis(pool.inbox, shifted, axis=1, mode="fill", fill_value=pool.num_places)
    position = (num_waiting - evicted).at[messages.dst].get(mode="fill", fill_value=0) + messages.position
    row = jnp.where(position >= 0, messages.dst, num_nodes)
    inbox = inbox.at[row, position].set(messages.index, mode="drop")
    has_left = (every.dst < num_nodes) & ((messages.dst == num_nodes) | (position < 0))
    pool = _release(pool, jnp.where(has_left, every.index, pool.num_places))
    pool = _release(pool, jnp.where(column < evicted[:, None], pool.inbox, pool.num_places))
    counts = {("model", "evicted"): evicted}
    if online is not None:
        counts["model", "to_offline"] = num_to_offline
    arrived = replace(pool, inbox=inbox, dst=jnp.where(dst < num_nodes, num_nodes, pool.dst))
    return arrived, counts


def entered(pool: ModelPool, tick: jax.Array) -> jax.Array:
    """Nodes [N] at which a model has entered the inbox in this tick."""
    # A model that entered in an earlier refreshing tick is due no more, and wakes no node.
    due = pool.tick_due.at[pool.inbox].get(mode="fill", fill_value=-1)
    return jnp.any(due == tick, axis=1)


def hold(backend: Backend, gossip: Gossip, pool: ModelPool) -> tuple[ModelPool, Counts]:
    """Does nothing: models wait in any case."""
    del backend, gossip
    return pool, {}


def inbox(backend: Backend, gossip: Gossip, pool: ModelPool, active: jax.Array | None) -> tuple[Waiting, Counts]:
    """The inboxes of the active nodes [N]; None for all."""
    del backend, gossip
    num_nodes = pool.inbox.shape[0]
    is_there = pool.inbox < pool.num_places
    if active is not None:
        is_there = is_there & active[:, None]
    src = pool.src.at[pool.inbox].get(mode="fill", fill_value=num_nodes)
    tick_sent = pool.tick_sent.at[pool.inbox].get(mode="clip")
    return Waiting(pool.inbox, src, is_there, tick_sent), {}


def content(pool: ModelPool, own: Model) -> Model:
    """The models in all places."""
    del own
    return Model(pool.params, pool.age, pool.weight)


def release(pool: ModelPool, active: jax.Array | None, is_rejected: jax.Array) -> ModelPool:
    """Empties the inboxes of active nodes [N], None for all; with `kept`, keeps the last of the rejected [N, M]."""
    taken = jnp.where(True if active is None else active[:, None], pool.inbox, pool.num_places)
    kept = pool.kept
    if kept is not None:
        order = jnp.arange(1, taken.shape[1] + 1, dtype=jnp.int32)
        last = jnp.max(jnp.where(is_rejected, order, 0), axis=1)
        newly = jnp.take_along_axis(pool.inbox, jnp.maximum(last - 1, 0)[:, None], axis=1)[:, 0]
        pool = _release(pool, jnp.where(last > 0, kept, pool.num_places))
        taken = jnp.where(is_rejected & (order == last[:, None]), pool.num_places, taken)
        kept = jnp.where(last > 0, newly, kept)
    inbox = jnp.full_like(pool.inbox, pool.num_places)
    emptied = inbox if active is None else jnp.where(active[:, None], inbox, pool.inbox)
    return replace(_release(pool, taken), inbox=emptied, kept=kept)


def send(
    backend: Backend,
    gossip: Gossip,
    pool: ModelPool,
    tick: jax.Array,
    dispatch: Dispatch,
    own: Model,
    usual: int | None = None,
) -> tuple[ModelPool, Counts]:
    """Sends this tick's models: passed-on ones keep their places, others take free ones in order of (rank, slot)."""
    chex.assert_equal_shape(jax.tree.leaves(dispatch))
    dropped = jnp.zeros_like(dispatch.is_sent) if dispatch.dropped is None else dispatch.dropped & dispatch.is_sent
    counts = sent_and_dropped("model", dispatch.is_sent, dispatch.dropped)
    pool, is_passed = _pass_on(pool, tick, dispatch, dropped)
    needs = (dispatch.is_sent & ~dropped & ~is_passed).ravel()
    num_nodes, num_slots = dispatch.dst.shape
    # Only a pool of limited size can run out of places, so only there ranks decide who gets the last ones.
    message = _first(needs, dispatch.rank.ravel(), is_bounded=gossip.pool is not None)
    (place,) = jnp.nonzero(pool.is_free, size=needs.size, fill_value=pool.num_places)
    place = jnp.where(
        jnp.arange(needs.size, dtype=jnp.int32) < jnp.sum(needs, dtype=jnp.int32), place, pool.num_places
    ).astype(jnp.int32)
    is_placed = place < pool.num_places
    src, count = message // num_slots, jnp.sum(is_placed, dtype=jnp.int32)
    held = backend.copy_rows(content(pool, own), place, own, src, count, usual)
    pool = _address(replace(pool, **held._asdict()), tick, place, message, dispatch)
    num_placed = jnp.zeros(num_nodes, jnp.int32).at[jnp.where(is_placed, src, num_nodes)].add(1, mode="drop")
    counts["model", "evicted"] = jnp.sum(needs.reshape(-1, num_slots), axis=1, dtype=jnp.int32) - num_placed
    return pool, counts


def _pass_on(pool: ModelPool, tick: jax.Array, dispatch: Dispatch, dropped: jax.Array) -> tuple[ModelPool, jax.Array]:
    """Sends kept models as the first messages of their nodes; returns the pool and a mask of these messages [N, R]."""
    kept = pool.kept
    if kept is None:
        return pool, jnp.zeros_like(dispatch.is_sent)
    num_nodes, num_slots = dispatch.dst.shape
    is_first = dispatch.is_sent & (jnp.cumsum(dispatch.is_sent, axis=1, dtype=jnp.int32) == 1)
    is_passed = is_first & (kept < pool.num_places)[:, None]
    has_passed, is_dropped = jnp.any(is_passed, axis=1), jnp.any(is_passed & dropped, axis=1)
    column = jnp.argmax(is_passed, axis=1).astype(jnp.int32)
    message = jnp.arange(num_nodes, dtype=jnp.int32) * num_slots + column
    pool = _release(pool, jnp.where(is_dropped, kept, pool.num_places))
    pool = _address(pool, tick, jnp.where(has_passed & ~is_dropped, kept, pool.num_places), message, dispatch)
    return replace(pool, kept=jnp.where(has_passed, pool.num_places, kept)), is_passed


def _address(pool: ModelPool, tick: jax.Array, place: jax.Array, message: jax.Array, dispatch: Dispatch) -> ModelPool:
    """Writes the addresses of messages, by number v·R + s, on the models in places [n]; Q for nothing to write."""
    num_slots = dispatch.dst.shape[1]
    delay = jnp.zeros_like(message) if dispatch.delay is None else dispatch.delay.ravel()[message]

    def write(field: jax.Array, value: Any) -> jax.Array:
        return field.at[place].set(value, mode="drop")

    return replace(
        pool,
        src=write(pool.src, message // num_slots),
        dst=write(pool.dst, dispatch.dst.ravel()[message]),
        tick_sent=write(pool.tick_sent, tick),
        tick_due=write(pool.tick_due, tick + 1 + delay),
        rank=write(pool.rank, dispatch.rank.ravel()[message]),
        slot=write(pool.slot, message),
        is_free=write(pool.is_free, False),
    )


def _first(needs: jax.Array, rank: jax.Array, *, is_bounded: bool) -> jax.Array:
    """Numbers of all messages [n], those that need a place first, by rank if places can run out."""
    if not is_bounded:
        (message,) = jnp.nonzero(needs, size=needs.size, fill_value=0)
        return message.astype(jnp.int32)
    number = jnp.arange(needs.size, dtype=jnp.int32)
    return jax.lax.sort((~needs, rank, number), num_keys=2, is_stable=True)[2]


def _release(pool: ModelPool, places: jax.Array) -> ModelPool:
    """Frees places; Q for none."""
    return replace(pool, is_free=pool.is_free.at[places].set(True, mode="drop"))


POOL = Transport(
    is_own=False,
    init=init,
    own=own,
    store=store,
    receive=receive,
    entered=entered,
    hold=hold,
    inbox=inbox,
    partners=None,
    content=content,
    release=release,
    send=send,
)
