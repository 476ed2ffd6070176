"""The types of drop and delay models, and the messages that they see."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from flax import struct
from jax.tree_util import Partial

from jdgnn.network.identifiers import Identifiers
from jdgnn.network.topology import Topology


class Messages(NamedTuple):
    """Messages that are sent in one tick, or would be if their schedule were due."""

    src: jax.Array  # int32, any shape
    dst: jax.Array  # int32, the same shape; N = no recipient
    edge: jax.Array | None  # int32, the same shape: the edges they take; None for messages to random peers
    num_bytes: int  # of each message
    tick: jax.Array  # int32, when they are sent
    topology: Topology


class DropModel(NamedTuple):
    """Decides which messages are dropped.

    Members:
      sample: `(key, messages) -> drop_mask`, of a shape that broadcasts to that of `messages.dst`; with a memory,
        `(key, messages, memory) -> (memory, drop_mask)`. It is called in every tick, for all messages that may be sent.
      bind: `(nodes) -> drop model` for a model that names nodes, as in `jdgnn.Presence`; None if it names none.
      init: `(key, topology, num_slots) -> memory`: a tree of arrays [E, ...] for messages over the E edges, where
        `num_slots` is None; [N, ...] for `num_slots` candidates of each node. None for a model without a memory.
    """

    sample: Callable[..., Any]
    bind: Callable[[Identifiers], "DropModel"] | None = None
    init: Callable[..., Any] | None = None


@struct.dataclass(kw_only=True)
class DelayModel:
    """Decides how late messages are: one sent in tick t with delay d arrives in tick t + 1 + d.

    Members:
      sample: `(key, messages) -> delay`, int32 of a shape that broadcasts to that of `messages.dst`, from 0 to
        `maximum`; a `jax.tree_util.Partial`, or a function, of which `jdgnn.link` makes one.
      maximum: the longest delay in ticks. Buffers are made for it, so another value is compiled again.
    """

    sample: Partial
    maximum: int = struct.field(pytree_node=False)
