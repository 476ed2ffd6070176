"""Files that appear complete or not at all."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Opens a file to be written, which gets its name once it is complete.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     with whole_file(Path(folder) / "a.txt") as file:
      ...         written = file.write(b"all of it")
      ...         there_is_one = (Path(folder) / "a.txt").exists()
      ...     (Path(folder) / "a.txt").read_text(), there_is_one
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


def partial_name(name: str) -> str:
    """What a file is called while it is written.

    >>> partial_name("summary.json")
    '.summary.json.partial'
    """
    return f".{name}.partial"
