"""The type of attacks."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Attack(NamedTuple):
    """Makes the model that an attacker sends, written for one node.

    Members:
      corrupt: `(params, key, wakes) -> params`, the model sent in place of the node's own: a tree of the same arrays.
        It gets the node's key of this tick and its number of wakes so far. A content encodes the result. Merged moments
        are not given to it, and are sent unchanged.
    """

    corrupt: Callable[..., Any]
