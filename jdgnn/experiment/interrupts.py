"""Ctrl-C, SIGTERM and SIGHUP that are not lost: compiled code can swallow what a handler raises, or change it."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from jdgnn.errors import InputError

WORDS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "hung up"}
WAYS = {signal.Signals[name]: word for name, word in WORDS.items() if name in signal.Signals.__members__}
"""Signals that end a run, and what to call it."""


class Interrupted(KeyboardInterrupt):
    """A run was asked to end.

    Attributes:
      status: the exit status that a shell expects, 130, 143 or 129.
    """

    def __init__(self, signum: int, *remarks: str) -> None:
        super().__init__(*remarks)
        self.signum = signum
        self.status = 128 + signum

    def __str__(self) -> str:
        return "; ".join((WAYS[signal.Signals(self.signum)], *self.args))


class Interrupts:
    """Remembers whether the process was asked to end.

    Args:
      is_quiet: whether it says nothing when it is.

    Example:
      >>> Interrupts().is_asked
      False
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._signum: int | None = None
        self._is_quiet = is_quiet
        self._is_deferred = False

    @property
    def is_asked(self) -> bool:
        """Whether a signal came since the start."""
        return self._signum is not None

    def check(self) -> None:
        """Raises Interrupted if a signal came since the start."""
        if self._signum is not None:
            raise Interrupted(self._signum)

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """While inside, the first signal is only remembered, for whoever calls `check`; a second one raises at once."""
        self._is_deferred = True
        try:
            yield
        finally:
            self._is_deferred = False

    def take(self, signum: int, frame: FrameType | None) -> None:
        """Handles a signal."""
        is_first, self._signum = self._signum is None, signum
        if self._is_deferred and is_first:
            if not self._is_quiet:
                with contextlib.suppress(OSError):  # whoever read it may be gone
                    os.write(2, b"jdgnn: ends after these ticks; once more ends it at once\n")
            return
        raise Interrupted(signum)


@contextlib.contextmanager
def remembered_interrupts(*, is_quiet: bool = False) -> Iterator[Interrupts]:
    """Takes care of Ctrl-C, SIGTERM and SIGHUP for a while; outside the main thread nobody gets them.

    A signal that is ignored stays so, as SIGHUP under `nohup`.

    Args:
      is_quiet: whether nothing is said when one comes.

    Yields:
      What to ask now and then; whatever is raised inside after a signal becomes an Interrupted.
    """
    interrupts = Interrupts(is_quiet=is_quiet)
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    heeded = [number for number in WAYS if signal.getsignal(number) != signal.SIG_IGN]
    handlers: dict[signal.Signals, Any] = {number: signal.signal(number, interrupts.take) for number in heeded}
    unraisable, sys.unraisablehook = sys.unraisablehook, _silent
    try:
        yield interrupts
    except Interrupted:
        raise
    except KeyboardInterrupt as interrupt:
        raise Interrupted(signal.SIGINT) from interrupt
    except (InputError, OSError):
        raise
    except Exception:
        interrupts.check()
        raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sys.unraisablehook = unraisable


def _silent(unraisable: "sys.UnraisableHookArgs") -> None:
    """Says nothing of interrupts, and of what TensorStore still wanted to tell orbax once a write had failed."""
    is_late = str(unraisable.exc_value) == "Event loop is closed"
    if not is_late and not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
