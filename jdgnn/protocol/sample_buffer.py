"""Sample buffers: memory banks of the last C embeddings that random nodes pushed to each node.

Axes: N nodes, C capacity, F' units of a layer.
"""

import chex
import jax
import jax.numpy as jnp
from flax import struct
from jax.typing import DTypeLike

from jdgnn.backend.backend import Backend
from jdgnn.protocol.messages import Arrivals, Content


@struct.dataclass(kw_only=True)
class SampleBuffer:
    """A ring per node; slots below `num_samples` are filled, in no particular order."""

    entries: tuple[jax.Array, ...]  # per layer [N, C, F']
    next_slot: jax.Array  # [N] int32, slot of the next arrival
    num_samples: jax.Array  # [N] int32, filled slots

    @property
    def capacity(self) -> int:
        """Slots of a node, C."""
        return self.entries[0].shape[1]

    @property
    def mask(self) -> jax.Array:
        """Which slots are filled [N, C]."""
        return jnp.arange(self.capacity, dtype=jnp.int32) < self.num_samples[:, None]


def empty_buffer(num_nodes: int, capacity: int, units: tuple[int, ...], dtype: DTypeLike) -> SampleBuffer:
    """A buffer without samples; `units` are the widths of the layers."""
    return SampleBuffer(
        entries=tuple(jnp.zeros((num_nodes, capacity, width), dtype) for width in units),
        next_slot=jnp.zeros(num_nodes, jnp.int32),
        num_samples=jnp.zeros(num_nodes, jnp.int32),
    )


def store(backend: Backend, buffer: SampleBuffer, messages: Arrivals, content: Content) -> SampleBuffer:
    """Stores the pushes that arrive in this tick; each overwrites the oldest sample of its receiver."""
    capacity, num_nodes = buffer.capacity, buffer.next_slot.shape[0]
    chex.assert_shape(buffer.entries, (num_nodes, capacity, None))
    chex.assert_equal_shape([messages.dst, messages.position, content.row])
    first = buffer.next_slot.at[messages.dst].get(mode="fill", fill_value=0)
    slot = (first + messages.position) % capacity
    place = jnp.where(messages.is_among_last(capacity), messages.dst * capacity + slot, num_nodes * capacity)
    return SampleBuffer(
        entries=tuple(
            backend.write_rows(entries, place, table, content.row)
            for entries, table in zip(buffer.entries, content.tables, strict=True)
        ),
        next_slot=(buffer.next_slot + messages.num_received) % capacity,
        num_samples=jnp.minimum(buffer.num_samples + messages.num_received, capacity),
    )
