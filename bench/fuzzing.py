"""How many spoilt inputs each parser of files was given: `python -m bench.fuzzing --minutes 10`.

Needs the extra `fuzz` and Linux. What is given, and what a parser promises, is in `tests/fuzzing`. A broken promise
ends this with the input on the screen.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.machine import RESULTS, circumstances, shown

ROOT = Path(__file__).parents[1]
RESULT = RESULTS / "fuzzing.json"
AT_ONCE = 2


def fuzz(name: str, minutes: float) -> dict[str, Any]:
    """Fuzzes a parser in a process of its own.

    Args:
      name: one of `tests.fuzzing.targets.TARGETS`.
      minutes: of a processor's time.

    Returns:
      `target`, `inputs`, how many were given, and `refused`, how many of them were.

    Raises:
      RuntimeError: a promise was broken; the message is the end of what the process said.
    """
    with tempfile.TemporaryDirectory() as corpus:
        command = [sys.executable, "-m", "tests.fuzzing", name, str(60 * minutes), corpus]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    if ended.returncode:
        raise RuntimeError(f"{name}: {ended.stdout[-5000:]}{ended.stderr[-5000:]}")
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def table(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    lines = ["| what is read | processor minutes | inputs | of them refused |", "|---|---:|---:|---:|"]
    for one in result["targets"]:
        lines.append(f"| {one['target']} | {result['minutes']:g} | {one['inputs']:,} | {one['refused']:,} |")
    return "\n".join(lines)


def main() -> None:
    """Fuzzes all parsers, some at a time, and writes down how many inputs each was given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="of a processor's time, for each parser (10)")
    parser.add_argument("--table", action="store_true", help="print the committed figures and measure nothing")
    arguments = parser.parse_args()
    if arguments.table:
        print(shown(RESULT, table))
        return
    from tests.fuzzing.targets import TARGETS

    with ThreadPoolExecutor(AT_ONCE) as pool:
        targets = list(pool.map(lambda name: fuzz(name, arguments.minutes), TARGETS))
    result = {"minutes": arguments.minutes, "targets": targets, **circumstances()}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(table(result))


if __name__ == "__main__":
    main()
