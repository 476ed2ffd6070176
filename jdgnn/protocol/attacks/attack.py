"""What an attack is."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Attack(NamedTuple):
    """What an attacker puts into its model messages, written for one node.

    Members:
      corrupt: `(params, key, wakes) -> params`, what is sent in place of the node's own model: a tree of the same
        arrays, with the node's key of this tick and its wakes so far. A content encodes it afterwards. Moments that
        are merged are no part of it, and are sent as they are.
    """

    corrupt: Callable[..., Any]
