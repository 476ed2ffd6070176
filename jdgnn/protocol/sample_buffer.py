"""The sample buffer: the last C embeddings that random nodes pushed to a node.

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
    """A ring per node; slots below `num_samples` are filled, and their order says nothing."""

    entries: tuple[jax.Array, ...]  # per layer [N, C, F']
    next_slot: jax.Array  # [N] int32, where the next arrival goes
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
    """A buffer without samples, for embeddings of `units` of each layer."""
    return SampleBuffer(
        entries=tuple(jnp.zeros((num_nodes, capacity, width), dtype) for width in units),
        next_slot=jnp.zeros(num_nodes, jnp.int32),
        num_samples=jnp.zeros(num_nodes, jnp.int32),
    )


def store(backend: Backend, buffer: SampleBuffer, messages: Arrivals, content: Content) -> SampleBuffer:
    """Stores arriving pushes; each overwrites the oldest sample of its receiver.

    Args:
      backend: what copies rows.
      buffer: the buffer.
      messages: n pushes that arrive in this tick.
      content: what each carries.

    Returns:
      The buffer, with the last C arrivals of each node.
    """
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
