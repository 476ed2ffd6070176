"""What models of loss and of delay are, and what they see."""

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
    dst: jax.Array  # int32, the same shape; N = nobody
    edge: jax.Array | None  # int32, the same shape: which edges they take; None for messages to random peers
    num_bytes: int  # of each message
    tick: jax.Array  # int32, in which they are sent
    topology: Topology


class DropModel(NamedTuple):
    """Which messages are dropped.

    Members:
      sample: `(key, messages) -> drop_mask`, of a shape that broadcasts to that of `messages.dst`; of a model with a
        memory, `(key, messages, memory) -> (memory, drop_mask)`. It is asked in every tick, of all messages that may
        be sent.
      bind: `(nodes) -> loss model` for a model that names nodes, as `jdgnn.Presence` has it; None if none is named.
      init: `(key, topology, num_slots) -> memory`, what is remembered: a tree of arrays [E, ...] for messages over the
        E edges, of which `num_slots` is None; [N, ...] for the candidates of nodes, `num_slots` of each. None for a
        model without a memory.
    """

    sample: Callable[..., Any]
    bind: Callable[[Identifiers], "DropModel"] | None = None
    init: Callable[..., Any] | None = None


@struct.dataclass(kw_only=True)
class DelayModel:
    """How late messages are: one that is sent in tick t with delay d arrives in tick t + 1 + d.

    Members:
      sample: `(key, messages) -> delay`, int32 of a shape that broadcasts to that of `messages.dst`, from 0 to
        `maximum`; a `jax.tree_util.Partial`, or a function, which `jdgnn.link` makes one.
      maximum: the longest delay in ticks. Buffers are made for it, so another one is another program.
    """

    sample: Partial
    maximum: int = struct.field(pytree_node=False)
