"""The type of schedules."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
from flax import struct
from jax.tree_util import Partial

from jdgnn.parts import as_partial, bound_to


@struct.dataclass(kw_only=True, init=False)
class Schedule:
    """Decides how many messages a node sends at a wake; written for one node.

    Its functions are `jax.tree_util.Partial`s, or plain ones, which `publish`, `push` and `gossip` convert.

    Members:
      init: `() -> memory`, what is remembered of one node: a tree of arrays, or () for nothing.
      decide: `(memory, wakes, num_merged, uniforms [1+M], num_candidates) -> num_wanted` int32. `wakes` counts the
        wakes before this one and `num_merged` the models merged in it, `uniforms` are float32 draws from [0, 1), or
        None, and `num_candidates` is the number of messages with a drawn receiver; more are never sent.
      settle: `(memory, num_sent) -> memory`, after sending.
      is_random: whether `decide` needs its draws.

    Args:
      min_wakes: this `decide` sends at most once in so many wakes; the number is lost if `decide` is replaced.
    """

    init: Partial
    decide: Partial
    settle: Partial
    is_random: bool = struct.field(pytree_node=False, default=False)

    def __init__(
        self,
        *,
        init: Callable[..., Any],
        decide: Callable[..., Any],
        settle: Callable[..., Any],
        is_random: bool = False,
        min_wakes: int = 1,
    ) -> None:
        if isinstance(min_wakes, bool) or min_wakes != 1:
            decide = Partial(_decide, decide=as_partial("schedule.decide", decide), spacing=Spacing(min_wakes))
        for name, value in (("init", init), ("decide", decide), ("settle", settle), ("is_random", is_random)):
            object.__setattr__(self, name, value)

    @property
    def min_wakes(self) -> int:
        """A node sends at most once in so many wakes."""
        bound = bound_to(_decide, self.decide)
        return 1 if bound is None else bound["spacing"].min_wakes

    def spaced(self, min_wakes: int) -> "Schedule":
        """The same schedule with another `min_wakes`."""
        decide = (bound_to(_decide, self.decide) or {"decide": self.decide})["decide"]
        return Schedule(
            init=self.init, decide=decide, settle=self.settle, is_random=self.is_random, min_wakes=min_wakes
        )


@jax.tree_util.register_static
@dataclass(frozen=True)
class Spacing:
    """The least number of wakes between two that send; static, as it decides the number of places for models."""

    min_wakes: int


def _decide(*arguments: Any, decide: Callable[..., jax.Array], spacing: Spacing) -> jax.Array:
    del spacing
    return decide(*arguments)
