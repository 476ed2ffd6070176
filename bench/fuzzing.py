"""How many spoilt inputs each parser of files was given: `python -m bench.fuzzing --minutes 10`.

Needs the extra `fuzz` and Linux. What is given, and what a parser promises, is in `tests/fuzzing`. A broken promise
ends the fuzzing of its parser, with the input on the screen. To stop and go on with the process counts as one: an input
may take a minute.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
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
      `target`, `inputs`, how many were given, `refused`, how many of them were, and `led_to_new_lines`, how many
      reached lines or branches of jdgnn that none before had.

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
    lines = [
        "| what is read | processor minutes | inputs | of them refused | led to new lines |",
        "|---|---:|---:|---:|---:|",
    ]
    for one in result["targets"]:
        counts = " | ".join(f"{one[name]:,}" for name in ("inputs", "refused", "led_to_new_lines"))
        lines.append(f"| {one['target']} | {one['minutes']:g} | {counts} |")
    return "\n".join(lines)


def main() -> None:
    """Fuzzes parsers, some at a time, and writes down how many inputs each was given as soon as it is done."""
    from tests.fuzzing.targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="of a processor's time, for each parser (10)")
    parser.add_argument("--only", nargs="+", choices=list(TARGETS), default=list(TARGETS), help="parsers (all)")
    parser.add_argument("--table", action="store_true", help="print the committed figures and measure nothing")
    arguments = parser.parse_args()
    if arguments.table:
        print(shown(RESULT, table))
        return
    broken = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for one in as_completed([pool.submit(fuzz, name, arguments.minutes) for name in arguments.only]):
            if error := one.exception():
                broken += 1
                print(error, file=sys.stderr, flush=True)
            else:
                _write({**one.result(), "minutes": arguments.minutes}, list(TARGETS))
    print(shown(RESULT, table))
    sys.exit(bool(broken))


def _write(found: dict[str, Any], names: list[str]) -> None:
    """Puts a result in the place of the one that is there for the same parser."""
    earlier = json.loads(RESULT.read_text())["targets"] if RESULT.exists() else []
    by_name = {one["target"]: one for one in [*earlier, {**found, **circumstances()}]}
    targets = [by_name[name] for name in names if name in by_name]
    RESULT.write_text(json.dumps({"targets": targets}, indent=1) + "\n")


if __name__ == "__main__":
    main()
