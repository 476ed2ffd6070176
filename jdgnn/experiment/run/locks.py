"""One process at a time in a directory."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from jdgnn.errors import InputError

LOCK = ".lock"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes out of a directory; the lock ends with the process, however that ends.

    Raises:
      InputError: another process is in it.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder)):
      ...     try:
      ...         locked(Path(folder)).__enter__()
      ...     except InputError as error:
      ...         print("rejected")
      rejected
    """
    lock = FileLock(path / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise InputError(f"{path} is in use by another process; wait for it, or give another directory") from error
    try:
        yield
    finally:
        lock.release()
