"""The type of models of link presence."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from jdgnn.network.topology import Topology


class LinkPresence(NamedTuple):
    """Decides which links of the network are up in each tick.

    The network defines which links can exist. Nothing is sent over a link that is down; messages sent over it before
    still arrive.

    Members:
      init: `(key, topology) -> memory`, what is remembered of each link: a tree of arrays [E, ...], or () for nothing.
      sample: `(key, tick, topology, memory) -> (memory, up_mask [E])`, in every tick from 0 on; edge e runs from
        `topology.senders[e]` to `topology.receivers[e]`. None for links that are always up.
    """

    init: Callable[..., Any]
    sample: Callable[..., tuple[Any, jax.Array]] | None = None


def no_memory(key: jax.Array, topology: Topology) -> tuple[()]:
    """The `init` of a model without a memory."""
    del key, topology
    return ()
