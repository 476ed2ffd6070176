"""What a peer sampler is."""

from collections.abc import Callable
from typing import NamedTuple

import jax


class PeerSampler(NamedTuple):
    """Who gets this tick's pushes or models.

    Members:
      sample: `(key, topology, num_slots) -> dst [N, num_slots]` int32, the receiver of each candidate message of each
        node; N stands for nobody. A node never picks itself.
    """

    sample: Callable[..., jax.Array]
