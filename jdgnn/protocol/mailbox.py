"""Mailboxes: the newest embeddings that arrived from each in-neighbour, and those on their way.

Axes: N nodes, E directed edges, F' units of a layer, D longest delay.
"""

from collections.abc import Callable
from dataclasses import replace

import chex
import jax
import jax.numpy as jnp
from flax import struct
from jax.typing import DTypeLike

from jdgnn.network.edges import sum_over_in_edges, sum_over_out_edges
from jdgnn.network.topology import Topology
from jdgnn.protocol.accounts import Counts
from jdgnn.protocol.messages import Content
from jdgnn.protocol.rings import as_delays, elapsed, is_due, nothing_sent


@struct.dataclass(kw_only=True)
class Mailbox:
    """The embeddings that have arrived over each edge, and the delays of those on their way."""

    entries: tuple[jax.Array, ...]  # per layer [E, F']
    version: jax.Array  # [E] int32, tick in which the entry was sent; -1 = none arrived yet
    delays: jax.Array  # [E, D+1], delays of embeddings sent in the last ticks; see `rings`

    @property
    def max_delay(self) -> int:
        """The longest delay, D."""
        return self.delays.shape[1] - 1


def empty_mailbox(num_edges: int, max_delay: int, units: tuple[int, ...], dtype: DTypeLike) -> Mailbox:
    """A mailbox before any embedding was sent; `units` are the widths of the layers."""
    return Mailbox(
        entries=tuple(jnp.zeros((num_edges, width), dtype) for width in units),
        version=jnp.full(num_edges, -1, jnp.int32),
        delays=nothing_sent((num_edges, max_delay + 1), max_delay),
    )


def send(
    mailbox: Mailbox,
    topology: Topology,
    tick: jax.Array,
    is_sending: jax.Array,  # [N]
    dropped: jax.Array | None,  # [E]; None for none
    delay: jax.Array | None,  # [E]; None for 0
    up: jax.Array | None = None,  # [E]; None for all
) -> tuple[Mailbox, Counts]:
    """Sends this tick's embeddings to all out-neighbours to whom the link is up; returns also the counts."""
    dims = chex.Dimensions(N=topology.num_nodes, E=topology.num_edges)
    chex.assert_shape(is_sending, dims["N"])
    chex.assert_shape(jax.tree.leaves((dropped, delay, up)), dims["E"])
    is_sent = is_sending[topology.senders] if up is None else is_sending[topology.senders] & up
    arrives = is_sent if dropped is None else is_sent & ~dropped
    slot = tick % (mailbox.max_delay + 1)
    delays = mailbox.delays.at[:, slot].set(as_delays(arrives, delay, mailbox.max_delay))
    if up is None:
        counts = {("embedding", "sent"): jnp.where(is_sending, topology.out_degree, 0)}
    else:
        counts = {("embedding", "sent"): sum_over_out_edges(is_sent.astype(jnp.int32), topology)}
    if dropped is not None:
        counts["embedding", "dropped"] = sum_over_out_edges((is_sent & dropped).astype(jnp.int32), topology)
    return replace(mailbox, delays=delays), counts


def receive(
    mailbox: Mailbox,
    topology: Topology,
    tick: jax.Array,
    online: jax.Array | None,  # [N]; None for all
    content: Callable[[jax.Array], Content],
) -> tuple[Mailbox, Counts]:
    """Stores the embeddings that arrive in this tick, the newest of each neighbour; returns also the counts.

    `content` gives the embeddings of messages from the ticks in which each edge's message was sent [E].
    """
    dims = chex.Dimensions(E=topology.num_edges)
    chex.assert_shape(mailbox.version, dims["E"])
    chex.assert_shape(mailbox.entries, (topology.num_edges, None))
    depth = mailbox.max_delay + 1
    delay = elapsed(tick, depth)
    due = is_due(mailbox.delays, tick)
    num_due = jnp.sum(due, axis=1, dtype=jnp.int32)
    newest = jnp.min(jnp.where(due, delay, depth), axis=1)
    sent_at = tick - 1 - newest
    num_here = num_due if online is None else jnp.where(online[topology.receivers], num_due, 0)
    # An older embedding that arrives later stays superseded.
    is_new = (num_here > 0) & (sent_at > mailbox.version)
    tables, row = content(sent_at)
    replace_rows = topology.backend.replace_rows
    entries = tuple(replace_rows(held, is_new, table, row) for held, table in zip(mailbox.entries, tables, strict=True))
    counts = {
        ("embedding", "delivered"): sum_over_in_edges(is_new.astype(jnp.int32), topology),
        ("embedding", "superseded"): sum_over_in_edges(num_here - is_new.astype(jnp.int32), topology),
    }
    if online is not None:
        counts["embedding", "to_offline"] = sum_over_in_edges(num_due - num_here, topology)
    return replace(mailbox, entries=entries, version=jnp.where(is_new, sent_at, mailbox.version)), counts
