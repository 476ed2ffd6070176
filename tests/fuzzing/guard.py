"""Watches what a parser does besides parsing: nothing that it is given may run, write, remove or call anybody."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from jdgnn.experiment.run.locks import LOCK

FORBIDDEN = (
    *("os.kill", "os.utime", "os.putenv"),
    *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "subprocess.Popen", "pty.spawn"),
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown"),
    *("shutil.rmtree", "shutil.move", "shutil.copyfile", "tempfile.mkstemp", "tempfile.mkdtemp"),
    *("socket.connect", "socket.bind", "urllib.Request", "ctypes.dlopen", "webbrowser.open", "code.__new__"),
)
_seen: list[str] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _seen is None or _is_of_the_compiler(*arguments[:1]):
        return
    if event in FORBIDDEN or (event == "open" and _writes(*arguments)):
        _seen.append(f"{event} {arguments[:1]}")


def _is_of_the_compiler(path: Any = None) -> bool:
    """Whether something is done in the folder where JAX keeps programs that tests have compiled."""
    folder = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    return bool(folder) and str(path).startswith(str(folder))


def _writes(path: Any, mode: Any, flags: Any) -> bool:
    is_written = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    return bool(is_written) and not str(path).endswith((os.devnull, LOCK))


sys.addaudithook(_hook)


@contextlib.contextmanager
def watched() -> Iterator[list[str]]:
    """Gives a list of what is done while inside that no parser should do."""
    global _seen
    found: list[str] = []
    _seen = found
    try:
        yield found
    finally:
        _seen = None
