"""Files: written whole or not at all, and opened only where they are files of no more than the expected size.

For whatever jdgnn reads, three promises hold: nothing that a file contains is executed, sizes are checked before memory
is taken, and what is written appears complete or not at all.
"""

import contextlib
import errno
import json
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from jdgnn.checks import check_flag
from jdgnn.errors import InputError


def size_of(path: Path) -> int:
    """The size of a file in bytes; anything else is rejected, as opening a pipe or a device may take for ever.

    Raises:
      OSError: there is nothing, or no file.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "is no file", str(path))
    return found.st_size


def read_bytes(path: Path, most: int) -> bytes:
    """Reads a file of at most so many bytes.

    Raises:
      OSError: there is nothing, no file, or a larger one.

    Example:
      >>> read_bytes(Path("/dev/null"), 10)
      Traceback (most recent call last):
      OSError: [Errno 22] is no file: '/dev/null'
    """
    if size_of(path) > most:
        raise OSError(errno.EFBIG, f"has more than {most:,} bytes", str(path))
    return path.read_bytes()


def partial_name(name: str) -> str:
    """The name of a file while it is written.

    >>> partial_name("summary.json")
    '.summary.json.partial'
    """
    return f".{name}.partial"


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Opens a file for writing, which gets its name once it is complete.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     with whole_file(Path(folder) / "a.txt") as file:
      ...         written = file.write(b"all of it")
      ...         exists = (Path(folder) / "a.txt").exists()
      ...     (Path(folder) / "a.txt").read_text(), exists
      ('all of it', False)
    """
    partial = path.with_name(partial_name(path.name))
    partial.unlink(missing_ok=True)  # a link to elsewhere, or what a killed process left
    try:
        with partial.open("xb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes readable JSON in which every number is finite, whole or not at all."""
    with whole_file(path) as file:
        file.write((json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def check_new_file(argument: str, file: Path, *, overwrite: bool, advice: str = "ask for it to be overwritten") -> None:
    """Rejects a place that cannot take a new file, without touching it.

    Args:
      argument: that names the file, for messages.
      file: to be written.
      overwrite: whether it may exist.
      advice: what to do if it exists and may not.

    Raises:
      InputError: it may not be written there.

    Example:
      >>> check_new_file("--json", Path("no folder/a.json"), overwrite=False)
      Traceback (most recent call last):
      jdgnn.errors.InputError: --json: there is no directory no folder; make it, or give another place
    """
    check_flag("overwrite", overwrite)
    if file.is_dir():
        raise InputError(f"{argument}: {file} is a directory; give the name of a file")
    if not file.parent.is_dir():
        raise InputError(f"{argument}: there is no directory {file.parent}; make it, or give another place")
    if file.exists() and not overwrite:
        raise InputError(f"{argument}: {file} exists; give another name, or {advice}")
