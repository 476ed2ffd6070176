"""One process at a time in a directory."""

import contextlib
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
    with (path / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{path} is in use by another process; wait for it, or give another directory") from error
        yield
