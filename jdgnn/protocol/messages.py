"""Messages that arrive in one tick, in the order in which their receivers take them.

Axes: N nodes, S slots of a sender, n = N·S messages.
"""

import jax
import jax.numpy as jnp
from flax import struct


@struct.dataclass(kw_only=True)
class Arrivals:
    """The messages of one tick, sorted by receiver and then by order of arrival."""

    src: jax.Array  # [n] int32, sender
    dst: jax.Array  # [n] int32, receiver; N = nobody, such messages stand last
    position: jax.Array  # [n] int32, 0 for the first to arrive at its receiver
    num_received: jax.Array  # [N] int32

    def is_among_last(self, capacity: int) -> jax.Array:
        """Whether each message is among the last `capacity` of its receiver [n]; nobody's never are."""
        return self._from_last() < capacity

    def num_displaced(self, capacity: int) -> jax.Array:
        """How many messages find no room when each receiver can take `capacity` in this tick."""
        return jnp.sum(jnp.maximum(self.num_received - capacity, 0), dtype=jnp.int32)

    def _from_last(self) -> jax.Array:
        far = jnp.iinfo(jnp.int32).max
        total = self.num_received.at[self.dst].get(mode="fill", fill_value=far)
        return jnp.where(total == far, far, total - 1 - self.position)


def arrivals(dst: jax.Array, rank: jax.Array) -> Arrivals:
    """Turns "who sends to whom" around into "who receives from whom", in order of (rank, slot).

    Args:
      dst: receiver of each message [N, S] int32, N = nobody.
      rank: random rank of each message [N, S] uint32.

    Returns:
      The arrivals.
    """
    num_nodes, num_slots = dst.shape
    slot = jnp.arange(dst.size, dtype=jnp.int32)
    dst, _, slot = jax.lax.sort((dst.ravel(), rank.ravel(), slot), num_keys=3)
    num_received = jnp.zeros(num_nodes, jnp.int32).at[dst].add(1, mode="drop", indices_are_sorted=True)
    first = jnp.cumsum(num_received, dtype=jnp.int32) - num_received
    position = slot_position(dst, first)
    return Arrivals(src=slot // max(num_slots, 1), dst=dst, position=position, num_received=num_received)


def slot_position(dst: jax.Array, first: jax.Array) -> jax.Array:
    """Position of each sorted message [n] within its receiver, whose messages begin at `first` [N]."""
    return jnp.arange(dst.size, dtype=jnp.int32) - first.at[dst].get(mode="fill", fill_value=0)


def inbox_sources(messages: Arrivals, capacity: int) -> tuple[jax.Array, jax.Array]:
    """Whose models wait in each inbox, oldest first; of too many the oldest are displaced.

    Args:
      messages: models that arrived.
      capacity: M, room in an inbox.

    Returns:
      Senders [N, M] int32 and whether there is one [N, M].
    """
    num_nodes = messages.num_received.shape[0]
    dropped = jnp.maximum(messages.num_received - capacity, 0).at[messages.dst].get(mode="fill", fill_value=0)
    row = jnp.where(messages.is_among_last(capacity), messages.dst, num_nodes)
    nobody = jnp.full((num_nodes, capacity), num_nodes, jnp.int32)
    src = nobody.at[row, messages.position - dropped].set(messages.src, mode="drop")
    return src, src < num_nodes
