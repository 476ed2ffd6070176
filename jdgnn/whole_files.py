"""Files that appear complete or not at all."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from jdgnn.checks import check_flag
from jdgnn.errors import InputError


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


def check_new_file(argument: str, file: Path, *, overwrite: bool, advice: str = "ask for it to be overwritten") -> None:
    """Refuses a place that cannot take a new file, without touching it.

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


def partial_name(name: str) -> str:
    """What a file is called while it is written.

    >>> partial_name("summary.json")
    '.summary.json.partial'
    """
    return f".{name}.partial"
