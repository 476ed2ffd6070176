"""What an acceptance rule is."""

from collections.abc import Callable
from typing import NamedTuple

import jax


class Acceptance(NamedTuple):
    """Whether a received model is merged.

    Members:
      probability: `(sender_degree, receiver_degree) -> prob`, elementwise: with which probability a model is merged,
        by the in-degrees of the node that sent it last and of the one that received it. None for always.
    """

    probability: Callable[..., jax.Array] | None = None
