"""Ctrl-C, SIGTERM and SIGHUP that are not lost: compiled code can swallow what a handler raises, or change it.

Python runs handlers only between its own instructions, and XLA may compile for minutes. So a thread that is told of
signals by the system ends the process where the handler does not come to its turn.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from jdgnn.errors import InputError

WORDS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "hung up"}
WAYS = {signal.Signals[name]: word for name, word in WORDS.items() if name in signal.Signals.__members__}
"""Signals that end a run, and what to call it."""
FIRST_SECONDS, SECOND_SECONDS = 1.0, 0.2
"""So long a first signal, and a further one, may wait for its handler."""


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
        self._has_said = False
        self.num_taken = 0
        self.on_leaving: Callable[[], list[str]] = list
        """Gives what to say where the process is ended in the middle of something; it may save what can be saved."""

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
        self.num_taken += 1
        is_first, self._signum = self._signum is None, signum
        if self._is_deferred and is_first:
            self._say_that_it_ends()
            return
        raise Interrupted(signum)

    def _say_that_it_ends(self) -> None:
        if not self._has_said:
            self._has_said = True
            self._say("ends after these ticks; once more ends it at once")

    def _say(self, text: str) -> None:
        if not self._is_quiet:
            with contextlib.suppress(OSError):  # whoever read it may be gone
                os.write(2, f"jdgnn: {text}\n".encode(errors="replace"))

    def overdue(self, signum: int, num_seen: int) -> None:
        """Does in another thread what is left to do where the handler of a signal does not come to its turn."""
        if self.num_taken >= num_seen:
            return
        if self._is_deferred and num_seen == 1:
            self._say_that_it_ends()
            return
        if sys.stderr.isatty():
            os.write(2, b"\x1b[?25h\n")  # the cursor, which a progress bar has hidden
        self._say(str(Interrupted(signum, *self.on_leaving())))
        os._exit(128 + signum)


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
        with _watched(interrupts, heeded):
            yield interrupts
    except (Interrupted, InputError, OSError):
        raise
    except KeyboardInterrupt as interrupt:
        raise Interrupted(signal.SIGINT) from interrupt
    except Exception:
        interrupts.check()  # compiled code makes errors of its own of what a handler raises
        raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sys.unraisablehook = unraisable


@contextlib.contextmanager
def _watched(interrupts: Interrupts, heeded: list[signal.Signals]) -> Iterator[None]:
    """Has a thread know of signals as they come, whatever the main thread does."""
    told, teller = socket.socketpair()
    teller.setblocking(False)
    before = signal.set_wakeup_fd(teller.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(interrupts, told, set(heeded)), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        teller.close()  # which ends the thread
        watcher.join()
        told.close()


def _watch(interrupts: Interrupts, told: socket.socket, heeded: set[signal.Signals]) -> None:
    signum, num_seen, deadline = 0, 0, None
    while True:
        told.settimeout(None if deadline is None else max(1e-3, deadline - time.monotonic()))
        try:
            came = told.recv(1)
        except TimeoutError:
            deadline = None
            interrupts.overdue(signum, num_seen)
            continue
        if not came:
            return
        if came[0] in heeded:
            signum, num_seen = came[0], num_seen + 1
            deadline = time.monotonic() + (FIRST_SECONDS if num_seen == 1 else SECOND_SECONDS)


def _silent(unraisable: "sys.UnraisableHookArgs") -> None:
    """Says nothing of interrupts, and of what TensorStore still wanted to tell orbax once a write had failed."""
    is_late = str(unraisable.exc_value) == "Event loop is closed"
    if not is_late and not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
