"""A clock by which all nodes wake in every tick."""

from jdgnn.protocol.clocks.clock import Clock, no_memory


def always() -> Clock:
    """Every online node wakes in every tick.

    Example:
      >>> always().sample is None
      True
    """
    return Clock(init=no_memory, sample=None)
