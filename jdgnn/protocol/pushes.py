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

FEWEST = 4096  # messages of which all are sorted without looking which are due

Batch = tuple[jax.Array, SampleBuffer, jax.Array, jax.Array]  # groups done, and what has become of them so far


@struct.dataclass(kw_only=True)
class PushFlight:
    """What was sent in each of the last D+1 ticks; see `rings`."""

    dst: jax.Array  # [N, D+1, S] int32
    rank: jax.Array  # [N, D+1, S] uint32
    delay: jax.Array  # [N, D+1, S]

    @property
    def max_delay(self) -> int:
        """The longest delay, D."""
        return self.dst.shape[1] - 1


def no_pushes(num_nodes: int, num_slots: int, max_delay: int) -> PushFlight:
    """The network before anything was pushed."""
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
    """Puts this tick's pushes on their way.

    Args:
      flight: pushes on their way.
      tick: this tick.
      is_sent: which candidates are sent [N, S].
      dst: to whom [N, S].
      rank: their ranks [N, S].
      dropped: which are dropped [N, S]; None for none.
      delay: how late they are [N, S]; None for not at all.

    Returns:
      The pushes on their way, and how many were sent and dropped.
    """
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
    """Stores the pushes that arrive in this tick, in order of (tick sent, rank, slot).

    They are sorted in batches of whole ticks of sending, the oldest first. A batch has room for a quarter more than all
    nodes send in one tick, so nearly always there is one.

    Args:
      backend: what sorts messages and copies rows.
      flight: pushes on their way.
      tick: this tick.
      online: who is online [N]; None for all.
      buffer: the sample buffers.
      content: from senders [n] and the delay of each message [n] to what it carries.
      share: the share of nodes that usually send; as many messages are packed into a batch of their own size.

    Returns:
      The sample buffers, and what became of what arrived.
    """
    num_nodes, _, num_slots = flight.dst.shape
    due = _Due.of(flight, tick)
    nobody = jnp.zeros(num_nodes, jnp.int32)
    carry: Batch = (jnp.int32(0), buffer, nobody, nobody)
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
        carry = jax.lax.while_loop(lambda carry: carry[0] < due.last, partial(batch, sizes[-1]), carry)
    _, buffer, num_stored, num_to_offline = carry
    num_displaced = jnp.maximum(num_stored - buffer.capacity, 0)
    counts = {("push", "evicted"): num_displaced, ("push", "delivered"): num_stored - num_displaced}
    return buffer, counts if online is None else counts | {("push", "to_offline"): num_to_offline}


class _Due(NamedTuple):
    """Which messages arrive in a tick, in groups by the tick in which they were sent, the oldest first."""

    mask: jax.Array  # [N, D+1, S]
    group: jax.Array  # [D+1] int32, group of each slot
    until: jax.Array  # [D+1] int32, how many there are up to each group
    last: jax.Array  # [] int32, groups up to the last that is not empty

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
        """The end of as many groups from `first` on as fit into a batch, and their messages [N, D+1, S]."""
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
