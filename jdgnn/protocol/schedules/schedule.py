"""What a schedule is."""

from flax import struct
from jax.tree_util import Partial


@struct.dataclass(kw_only=True)
class Schedule:
    """How many messages a node sends at a wake; written for one node.

    Its functions are `jax.tree_util.Partial`s, or plain ones, of which `publish`, `push` and `gossip` make such.

    Members:
      init: `() -> memory`, what is remembered of one node: a tree of arrays, or () for nothing.
      decide: `(memory, wakes, num_merged, uniforms [1+M], num_candidates) -> num_wanted` int32. `wakes` counts the
        wakes before this one and `num_merged` the models merged in it, `uniforms` are float32 draws from [0, 1), or
        None, and `num_candidates` is for how many messages receivers have been drawn; more are never sent.
      settle: `(memory, num_sent) -> memory`, after sending.
      is_random: whether `decide` needs its draws.
      min_wakes: a node sends at most once in so many wakes.
    """

    init: Partial
    decide: Partial
    settle: Partial
    is_random: bool = struct.field(pytree_node=False, default=False)
    min_wakes: int = struct.field(pytree_node=False, default=1)
