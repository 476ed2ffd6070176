"""Messages that arrive in one tick, in the order in which their receivers take them.

Axes: N nodes, S slots of a sender, D longest delay, n messages.
"""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.backend.backend import Backend


@struct.dataclass(kw_only=True)
class Arrivals:
    """The messages of one tick, sorted by receiver and then by order of arrival."""

    index: jax.Array  # [n] int32, number of each message before sorting
    dst: jax.Array  # [n] int32, receiver; N = no recipient
    position: jax.Array  # [n] int32, 0 for the first to arrive at its receiver
    num_received: jax.Array  # [N] int32

    def is_among_last(self, capacity: int) -> jax.Array:
        """Whether each message is among the last `capacity` of its receiver [n]; False without a recipient."""
        far = jnp.iinfo(jnp.int32).max
        total = self.num_received.at[self.dst].get(mode="fill", fill_value=far)
        return (total < far) & (total - 1 - self.position < capacity)

    def at(self, online: jax.Array | None) -> tuple["Arrivals", jax.Array]:
        """The messages that reach an online node, and how many reach each other node [N]; None for all online."""
        if online is None:
            return self, jnp.zeros_like(self.num_received)
        num_nodes = self.num_received.shape[0]
        is_here = online.at[self.dst].get(mode="fill", fill_value=False)
        stored = replace(
            self,
            dst=jnp.where(is_here, self.dst, num_nodes),
            num_received=jnp.where(online, self.num_received, 0),
        )
        return stored, jnp.where(online, 0, self.num_received)


class Content(NamedTuple):
    """The embeddings that messages carry, where their senders or a history hold them."""

    tables: tuple[jax.Array, ...]  # per layer [Q, F']
    row: jax.Array  # [n] int32, of each message


def arrivals(backend: Backend, num_nodes: int, dst: jax.Array, *order: jax.Array) -> Arrivals:
    """Turns "who sends to whom" into "who receives from whom".

    The receivers `dst` [n] are N for no recipient. At one receiver messages are ordered by `order`, arrays [n] with the
    most important first, and then by their number.
    """
    # One sort per tick gives the order of arrival, and no two messages are ever written to one place.
    index, dst, position, num_received = backend.arrivals(num_nodes, dst, *order)
    return Arrivals(index=index, dst=dst, position=position, num_received=num_received)
