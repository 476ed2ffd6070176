"""Pushes on their way, and their arrival in sample buffers.

Axes: N nodes, S pushes per node, F' units of a layer, D longest delay.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.backend.backend import Backend
from jdgnn.backend.rows import once
from jdgnn.protocol.accounts import Counts, sent_and_dropped
from jdgnn.protocol.messages import Arrivals, Content, arrivals
from jdgnn.protocol.rings import as_delays, elapsed, is_due, nothing_sent
from jdgnn.protocol.sample_buffer import SampleBuffer, store

FEWEST = 4096  # up to so many messages are all sorted, due or not

Batch = tuple[jax.Array, SampleBuffer, jax.Array, jax.Array]  # groups done, buffers, and stored and offline counts [N]


@struct.dataclass(kw_only=True)
class PushFlight:
    """The pushes sent in each of the last D+1 ticks; see `rings`."""

    dst: jax.Array  # [N, D+1, S] int32
    rank: jax.Array  # [N, D+1, S] uint32
    delay: jax.Array  # [N, D+1, S]

    @property
    def max_delay(self) -> int:
        """The longest delay, D."""
        return self.dst.shape[1] - 1


def no_pushes(num_nodes: int, num_slots: int, max_delay: int) -> PushFlight:
    """The pushes on their way before any was sent."""
    shape = (num_nodes, max_delay + 1, num_slots)
    return PushFlight(
        dst=jnp.full(shape, num_nodes, jnp.int32),
        rank=jnp.zeros(shape, jnp.uint32),
        delay=nothing_sent(shape, max_delay),
    )


def send(
    flight: PushFlight,
    tick: jax.Array,
    is_sent: jax.Array,
    dst: jax.Array,
    rank: jax.Array,
    dropped: jax.Array | None,
    delay: jax.Array | None,
) -> tuple[PushFlight, Counts]:
    """Sends this tick's candidates [N, S] where `is_sent`; returns also the counts."""
    dims = chex.Dimensions()
    dims["NDS"] = flight.dst.shape
    chex.assert_shape(jax.tree.leaves((is_sent, dst, rank, dropped, delay)), dims["NS"])
    slot = tick % (flight.max_delay + 1)
    arrives = is_sent if dropped is None else is_sent & ~dropped
    sent = PushFlight(
        dst=flight.dst.at[:, slot].set(dst),
        rank=flight.rank.at[:, slot].set(rank),
        delay=flight.delay.at[:, slot].set(as_delays(arrives, delay, flight.max_delay)),
    )
    return sent, sent_and_dropped("push", is_sent, dropped)


def receive(
    backend: Backend,
    flight: PushFlight,
    tick: jax.Array,
    online: jax.Array | None,
    buffer: SampleBuffer,
    content: Callable[[jax.Array, jax.Array], Content],
    share: float | None = None,
) -> tuple[SampleBuffer, Counts]:
    """Stores the pushes that arrive in this tick, in order of (tick sent, rank, slot); returns also the counts.

    `content` gives what messages carry from their senders [n] and delays [n]. If only a `share` of the nodes usually
    sends, a smaller batch is tried first.
    """
    # Messages are sorted in batches of whole ticks of sending, the oldest first. A batch has room for a quarter more
    # than all nodes send in one tick, so one is nearly always enough, however long the longest delay.
    num_nodes, _, num_slots = flight.dst.shape
    due = _Due.of(flight, tick)
    zeros = jnp.zeros(num_nodes, jnp.int32)
    carry: Batch = (jnp.int32(0), buffer, zeros, zeros)
    sizes = [min(due.mask.size, max(FEWEST, num_nodes * num_slots * 5 // 4))]
    if share is not None and (small := round(share * num_nodes * num_slots)) < sizes[0]:
        sizes.insert(0, small)

    def batch(size: int, carry: Batch) -> Batch:
        first, buffer, num_stored, num_to_offline = carry
        last, is_chosen = due.batch(first, size)
        messages, src, delay = _sorted(backend, flight, tick, is_chosen, size)
        messages, offline = messages.at(online)
        buffer = store(backend, buffer, messages, content(src, delay))
        return last, buffer, num_stored + messages.num_received, num_to_offline + offline

    for size in sizes[:-1]:
        carry = once(due.until[-1] <= size, partial(batch, size), carry)
    if sizes == [due.mask.size]:
        carry = batch(sizes[0], carry)
    else:
        with jax.named_scope(f"expected_trips_{int(len(sizes) == 1)}"):
            carry = jax.lax.while_loop(lambda carry: carry[0] < due.last, partial(batch, sizes[-1]), carry)
    _, buffer, num_stored, num_to_offline = carry
    num_evicted = jnp.maximum(num_stored - buffer.capacity, 0)
    counts = {("push", "evicted"): num_evicted, ("push", "delivered"): num_stored - num_evicted}
    return buffer, counts if online is None else counts | {("push", "to_offline"): num_to_offline}


class _Due(NamedTuple):
    """The messages that arrive in a tick, in groups by the tick in which they were sent, the oldest first."""

    mask: jax.Array  # [N, D+1, S]
    group: jax.Array  # [D+1] int32, group of each slot
    until: jax.Array  # [D+1] int32, number of messages up to each group
    last: jax.Array  # [] int32, number of groups up to the last non-empty one

    @classmethod
    def of(cls, flight: PushFlight, tick: jax.Array) -> "_Due":
        depth = flight.max_delay + 1
        number = jnp.arange(depth, dtype=jnp.int32)
        mask = is_due(flight.delay, tick)
        count = jnp.sum(mask, axis=(0, 2), dtype=jnp.int32)[(tick + number) % depth]
        return cls(
            mask,
            (number - tick) % depth,
            jnp.cumsum(count, dtype=jnp.int32),
            jnp.max(jnp.where(count > 0, number + 1, 0)),
        )

    def batch(self, first: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
        """The end of the groups from `first` on that fit into a batch, and their messages [N, D+1, S]."""
        base = jnp.where(first > 0, self.until[first - 1], 0)
        last = jnp.sum(self.until <= base + size, dtype=jnp.int32)
        return last, self.mask & ((self.group >= first) & (self.group < last))[:, None]


def _sorted(
    backend: Backend, flight: PushFlight, tick: jax.Array, is_chosen: jax.Array, capacity: int
) -> tuple[Arrivals, jax.Array, jax.Array]:
    """The chosen messages by receiver, their senders [n] and their delays [n]."""
    num_nodes, depth, num_slots = flight.dst.shape
    if capacity == is_chosen.size:
        dst, rank = jnp.where(is_chosen, flight.dst, num_nodes).ravel(), flight.rank.ravel()
        index = jnp.arange(capacity, dtype=jnp.int32)
    else:
        (index,) = jnp.nonzero(is_chosen.ravel(), size=capacity, fill_value=is_chosen.size)
        index = index.astype(jnp.int32)
        dst = flight.dst.ravel().at[index].get(mode="fill", fill_value=num_nodes)
        rank = flight.rank.ravel().at[index].get(mode="fill", fill_value=0)
    src = jnp.minimum(index // (depth * num_slots), num_nodes - 1)
    delay = elapsed(tick, depth)[index // num_slots % depth]
    order = (rank,) if depth == 1 else (-delay, rank)
    messages = arrivals(backend, num_nodes, dst, *order)
    return messages, src[messages.index], delay[messages.index]
