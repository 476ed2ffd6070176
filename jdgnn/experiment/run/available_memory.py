"""How much memory is left to this process where the state will be, and how much it has held."""

import sys

import jax

from jdgnn.host_memory import host_bytes


def available_bytes() -> int:
    """Memory left where the state will be: on the accelerator, or else in the machine.

    Example:
      >>> available_bytes() > 0
      True
    """
    if stats := jax.devices()[0].memory_stats():
        return stats["bytes_limit"] - stats["bytes_in_use"]
    return host_bytes()


def peak_bytes() -> int | None:
    """The most memory that this process has held so far, where the state is; None if nobody tells.

    >>> peak = peak_bytes()
    >>> peak is None or peak > 0
    True
    """
    if stats := jax.devices()[0].memory_stats():
        return stats.get("peak_bytes_in_use")
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
