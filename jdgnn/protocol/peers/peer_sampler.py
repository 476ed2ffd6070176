"""What a peer sampler is."""

from collections.abc import Callable
from typing import NamedTuple

import jax


class PeerSampler(NamedTuple):
    """Who gets this tick's pushes or models.

    Members:
      sample: `(key, topology, joined_mask [N], num_slots) -> dst [N, num_slots]` int32, the receiver of each candidate
        message of each node; N stands for nobody, as does anything that is no other node.
      pairs: `(dst [N]) -> (left [N // 2], right [N // 2])`, for samplers by which two nodes always send to each other:
        the pairs in one slot of `dst`, filled up with N. Models are then merged pair by pair, in place. None for
        other samplers.
    """

    sample: Callable[..., jax.Array]
    pairs: Callable[..., tuple[jax.Array, jax.Array]] | None = None
