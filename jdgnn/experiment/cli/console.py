"""Output of a run that continues when the output is no longer read."""

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

from rich.console import Console


def lasting_console() -> Console:
    """A console on standard output that falls silent when a pipe or terminal is closed."""
    stream = sys.stdout or open(os.devnull, "w")  # noqa: SIM115  (closed from the start)
    return Console(file=_Lasting(stream))  # type: ignore[arg-type]


class _Lasting:
    """A stream that drops what cannot be written.

    Example:
      >>> import io
      >>> stream = io.StringIO()
      >>> lasting = _Lasting(stream)
      >>> lasting.write("told"), stream.getvalue()
      (4, 'told')
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_open = True

    def write(self, text: str) -> int:
        """Writes text, or drops it once the stream is closed."""
        try:
            self._try(lambda: self._stream.write(text))
        except UnicodeEncodeError:
            encoding = self._stream.encoding
            self._try(lambda: self._stream.write(text.encode(encoding, "replace").decode(encoding)))
        return len(text)

    def flush(self) -> None:
        """Flushes the stream, unless it is closed."""
        self._try(self._stream.flush)

    def _try(self, act: Callable[[], object]) -> None:
        if not self._is_open:
            return
        try:
            act()
        except OSError:
            self._is_open = False
            with contextlib.suppress(OSError):  # Python flushes once more at its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
