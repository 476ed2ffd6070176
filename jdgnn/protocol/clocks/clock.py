"""The type of clocks."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax


class Clock(NamedTuple):
    """Decides when an online node wakes.

    Members:
      init: `(key, num_nodes) -> memory`, what is remembered of each node: a tree of arrays [N, ...], or () for nothing.
      sample: `(key, tick, num_nodes, memory) -> (memory, wake_mask [N])`, called in every tick for all nodes, online or
        not. None for a clock by which all nodes wake in every tick.
    """

    init: Callable[..., Any]
    sample: Callable[..., tuple[Any, jax.Array]] | None = None


def no_memory(key: jax.Array, num_nodes: int) -> tuple[()]:
    """The `init` of a clock without a memory."""
    del key, num_nodes
    return ()
