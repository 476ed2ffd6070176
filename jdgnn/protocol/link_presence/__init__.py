"""Models of link presence, one file each; a new one needs its file and its line in `LINK_PRESENCES`."""

from collections.abc import Callable

from jdgnn.protocol.link_presence.always import always
from jdgnn.protocol.link_presence.link_presence import LinkPresence
from jdgnn.protocol.link_presence.markov import markov

LINK_PRESENCES: dict[str, Callable[..., LinkPresence]] = {
    "always": always,
    "markov": markov,
}

__all__ = ["LINK_PRESENCES", "LinkPresence", "always", "markov"]
