"""Links that are always up."""

from jdgnn.protocol.link_presence.link_presence import LinkPresence, no_memory


def always() -> LinkPresence:
    """Every link is up in every tick, which costs nothing.

    Example:
      >>> always().sample is None
      True
    """
    return LinkPresence(init=no_memory, sample=None)
