"""Ctrl-C and SIGTERM that are not lost: compiled code can swallow what a handler raises, or change it."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from jdgnn.errors import InputError

WAYS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
"""Signals that end a run, and what to call it."""


class Interrupted(KeyboardInterrupt):
    """A run was asked to end.

    Attributes:
      status: the exit status that a shell expects, 130 or 143.
    """

    def __init__(self, signum: int, *remarks: str) -> None:
        super().__init__(*remarks)
        self.signum = signum
        self.status = 128 + signum

    def __str__(self) -> str:
        return "; ".join((WAYS[signal.Signals(self.signum)], *self.args))


class Interrupts:
    """Remembers whether the process was asked to end.

    Example:
      >>> Interrupts().is_asked
      False
    """

    def __init__(self) -> None:
        self._signum: int | None = None
        self._is_deferred = False

    @property
    def is_asked(self) -> bool:
        """Whether Ctrl-C or SIGTERM came since the start."""
        return self._signum is not None

    def check(self) -> None:
        """Raises Interrupted if Ctrl-C or SIGTERM came since the start."""
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
            with contextlib.suppress(OSError):  # whoever read it may be gone
                os.write(2, b"jdgnn: ends after these ticks; once more ends it at once\n")
            return
        raise Interrupted(signum)


@contextlib.contextmanager
def remembered_interrupts() -> Iterator[Interrupts]:
    """Takes care of Ctrl-C and SIGTERM for a while; outside the main thread nobody gets them.

    Yields:
      What to ask now and then; whatever is raised inside after a signal becomes an Interrupted.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    handlers: dict[signal.Signals, Any] = {number: signal.signal(number, interrupts.take) for number in WAYS}
    unraisable, sys.unraisablehook = sys.unraisablehook, _silent_about_interrupts
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


def _silent_about_interrupts(unraisable: "sys.UnraisableHookArgs") -> None:
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
