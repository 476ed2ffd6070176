"""Processes that were forked once JAX computed: they lack its threads, and would wait for them for ever."""

import os

from jdgnn.errors import InputError

_COMPUTING: list[int] = []  # the process that has begun to compute


def check_not_forked() -> None:
    """Notes that this process computes; a process that was forked from it may not compute.

    Raises:
      InputError: it was.

    Example:
      >>> check_not_forked()
    """
    if not _COMPUTING:
        _COMPUTING.append(os.getpid())
    if os.getpid() != _COMPUTING[0]:
        raise InputError(
            "this process was forked from one in which JAX had computed already, and would wait for ever for threads "
            "that it lacks; start processes by multiprocessing.get_context('spawn'), or with jdgnn sweep --jobs"
        )
