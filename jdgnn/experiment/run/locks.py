"""One process at a time in a directory."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from jdgnn.errors import InputError

LOCK = ".lock"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes out of a directory; the lock ends with the process, however that ends.

    Where the system knows no such locks, nothing keeps them out.

    Raises:
      InputError: another process is in it.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder)):
      ...     try:
      ...         locked(Path(folder)).__enter__()
      ...     except InputError as error:
      ...         print("refused")
      refused
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise InputError(f"{path} is in use by another process; wait for it, or give another directory") from error
    except OSError:  # a file system without locks
        pass
    try:
        yield
    finally:
        os.close(descriptor)
