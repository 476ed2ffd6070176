"""What a model of the presence of links is."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from jdgnn.network.topology import Topology


class LinkPresence(NamedTuple):
    """Which links of the network are up in each tick.

    The network says which links there can be. Over one that is down in a tick nothing is sent; what was sent over it
    before still arrives.

    Members:
      init: `(key, topology) -> memory`, what is remembered of each link: a tree of arrays [E, ...], or () for nothing.
      sample: `(key, tick, topology, memory) -> (memory, up_mask [E])`, in every tick from 0 on; edge e runs from
        `topology.senders[e]` to `topology.receivers[e]`. None for links that are always up.
    """

    init: Callable[..., Any]
    sample: Callable[..., tuple[Any, jax.Array]] | None = None


def no_memory(key: jax.Array, topology: Topology) -> tuple[()]:
    """The `init` of a model that remembers nothing."""
    del key, topology
    return ()
