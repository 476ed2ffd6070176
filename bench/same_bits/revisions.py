"""Trees of revisions, and what the jdgnn in them makes of settings."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("program.py")


def unpack(revision: str, folder: Path) -> None:
    """Writes all files of a revision into a folder.

    It is an archive of the revision and no git work tree, so nothing is left in the repository if this is killed, and
    several can be made at once.

    Raises:
      SystemExit: there is no such revision.
    """
    archive = subprocess.run(["git", "-C", str(HERE), "archive", revision], capture_output=True, check=False)
    if archive.returncode:
        sys.exit(
            f"--against: expected a revision of this repository, got {revision!r} ({archive.stderr.decode().strip()})"
        )
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)


class Running:
    """A process that runs settings with the jdgnn of one tree.

    Args:
      tree: the folder that holds the package.
      settings: what to run, by name.
      folder: an existing folder for what the process reads and writes.
      cache: where compiled programs are kept; what both revisions compile is compiled once.
    """

    def __init__(self, tree: Path, settings: Mapping[str, Any], folder: Path, cache: Path) -> None:
        self._out = folder / "outcomes.jsonl"
        given = folder / "settings.json"
        given.write_text(json.dumps(settings))
        command = [sys.executable, PROGRAM, tree, given, self._out, cache]
        self._process = subprocess.Popen(list(map(str, command)), cwd=folder)

    def outcomes(self) -> tuple[dict[str, Any], dict[str, list[str]]]:
        """Waits, and gives what came of each setting, and the parts that are registered."""
        if status := self._process.wait():
            sys.exit(f"a revision cannot be run at all: its process ended with status {status}")
        lines = list(self._lines())
        return {line.pop("name"): line for line in lines[1:]}, lines[0]["parts"]

    def stop(self) -> None:
        """Ends the process, if it still runs."""
        self._process.kill()
        self._process.wait()

    def _lines(self) -> Iterator[Any]:
        with self._out.open() as file:
            yield from map(json.loads, file)
