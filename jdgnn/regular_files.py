"""Files in places where anything may lie: only what is a file, and no longer than expected, is opened."""

import errno
import stat
from pathlib import Path


def check_regular(path: Path) -> int:
    """Refuses what is no plain file, as opening a pipe or a device may take for ever.

    Args:
      path: where it should be.

    Returns:
      Its size in bytes.

    Raises:
      OSError: there is nothing, or something else.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "is no file", str(path))
    return found.st_size


def read_regular(path: Path, most: int) -> bytes:
    """Reads a plain file.

    Args:
      path: where it is.
      most: so many bytes it may have.

    Returns:
      All of it.

    Raises:
      OSError: there is nothing, something else, or a longer file.

    Example:
      >>> read_regular(Path("/dev/null"), 10)
      Traceback (most recent call last):
      OSError: [Errno 22] is no file: '/dev/null'
    """
    if check_regular(path) > most:
        raise OSError(errno.EFBIG, f"has more than {most:,} bytes", str(path))
    return path.read_bytes()
