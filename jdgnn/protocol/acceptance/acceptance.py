"""The type of acceptance rules."""

from collections.abc import Callable
from typing import NamedTuple

import jax


class Acceptance(NamedTuple):
    """Decides whether a received model is merged.

    Members:
      probability: `(sender_degree, receiver_degree) -> prob`, elementwise: the probability that a model is merged, by
        the in-degrees of the node that sent it last and of the node that received it. None merges every model.
    """

    probability: Callable[..., jax.Array] | None = None
