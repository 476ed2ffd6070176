"""Ctrl-C that is not lost: compiled code can swallow a KeyboardInterrupt, or turn it into another exception."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType


class Interrupts:
    """Remembers whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self._is_pressed = False

    def check(self) -> None:
        """Raises KeyboardInterrupt if Ctrl-C was pressed since the start."""
        if self._is_pressed:
            raise KeyboardInterrupt

    def _press(self, signum: int, frame: FrameType | None) -> None:
        self._is_pressed = True
        raise KeyboardInterrupt


@contextlib.contextmanager
def remembered_interrupts() -> Iterator[Interrupts]:
    """Takes care of Ctrl-C for a while; outside the main thread, which alone gets it, there is nothing to take care of.

    Yields:
      What to ask now and then; whatever is raised inside after Ctrl-C becomes a KeyboardInterrupt.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    handler, unraisable = signal.signal(signal.SIGINT, interrupts._press), sys.unraisablehook
    sys.unraisablehook = _silent_about_interrupts
    try:
        yield interrupts
    except Exception:
        interrupts.check()
        raise
    finally:
        signal.signal(signal.SIGINT, handler)
        sys.unraisablehook = unraisable


def _silent_about_interrupts(unraisable: "sys.UnraisableHookArgs") -> None:
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
