"""What a clock is."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax


class Clock(NamedTuple):
    """When an online node is drawn to wake.

    Members:
      init: `(key, num_nodes) -> memory`, what is remembered of each node: a tree of arrays [N, ...], or () for nothing.
      sample: `(key, tick, num_nodes, memory) -> (memory, wake_mask [N])`. It is asked in every tick, of all nodes,
        whether they are online or not. None for a clock by which everybody wakes in every tick.
    """

    init: Callable[..., Any]
    sample: Callable[..., tuple[Any, jax.Array]] | None = None


def no_memory(key: jax.Array, num_nodes: int) -> tuple[()]:
    """The `init` of a clock that remembers nothing."""
    del key, num_nodes
    return ()
