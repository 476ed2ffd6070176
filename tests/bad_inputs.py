"""The table of bad inputs in `docs/reliability.md`: `python -m tests.bad_inputs` regenerates it.

Tests that reject something call `assert_told`, which asserts that the page says what was given and what came of it;
with `JDGNN_BAD_INPUTS` set to the name of a file, it notes that down for the page instead.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- bad inputs: python -m tests.bad_inputs -->", "<!-- end of bad inputs -->"
COLLECT = "JDGNN_BAD_INPUTS"
GROUPS = {
    "Configurations, by what `--set` changes in a sound one": "tests/experiment/test_config.py",
    "Configuration files": "tests/experiment/test_config.py",
    "Runs that are invalid or do not fit, by what `--set` changes": "tests/experiment/test_command_line.py",
    "Runs that cannot go on": "tests/experiment/test_resuming.py",
    "Networks from arrays": "tests/network/test_network.py",
    "Generated networks": "tests/network/test_generators.py",
    "Traces of who is online, CSV": "tests/protocol/test_presence.py",
    "Records of events, npz": "tests/emulation/test_recording.py",
    "Checkpoints": "tests/emulation/test_checkpoint.py",
    "Pickles and npz archives of data sets": "tests/network/datasets/test_restricted.py",
    "Downloads and files of data sets": "tests/network/datasets/test_files.py",
}
"""Headings, and the tests that give what stands below."""


def assert_told(group: str, given: str, sentence: object) -> None:
    """Asserts that the page says this of a bad input.

    Args:
      group: one of `GROUPS`.
      given: what was given, in a few words.
      sentence: what jdgnn said; names of temporary directories may differ, and reasons that other libraries give.
    """
    assert group in GROUPS
    row = _row(given, str(sentence))
    if file := os.environ.get(COLLECT):
        with Path(file).open("a") as collected:
            collected.write(json.dumps([group, row]) + "\n")
        return
    assert row in _told()[group], f"{row}\nis not in {PAGE}: write `python -m tests.bad_inputs`"


def _row(given: str, sentence: str) -> str:
    temporary = re.escape(tempfile.gettempdir())
    sentence = re.sub(rf"{temporary}/pytest-of-[^/]+/pytest-\d+/(popen-gw\d+/)?[^/\s:;,]+", "DIR", sentence)
    sentence = re.sub(r"http://127\.0\.0\.1:\d+", "https://HOST", sentence)
    sentence = re.sub(r"\d+(\.\d+)? ([TGMk]B)", r"… \2", sentence)  # of memory
    sentence = re.sub(r"allowed: \w+(, \w+)+", "allowed: …", sentence)  # which every new part makes longer
    sentence = re.sub(r"\b[0-9a-f]{64}\b", "…", sentence)
    sentence = sentence.replace(f"jdgnn ({version('jdgnn')})", "jdgnn (…)")
    sentence = re.sub(r"\((?:[^()]|\([^()]*\))*(Error|line \d|column \d|Errno)(?:[^()]|\([^()]*\))*\)", "(…)", sentence)
    return "| {} | {} |".format(*(_code(text) for text in (given, sentence)))


def _code(text: str) -> str:
    """Text as it is, in a cell of a table."""
    text = (text if text.isprintable() else repr(text)[1:-1]).replace("|", "\\|")
    return f"`` {text} ``" if "`" in text else f"`{text or '(empty)'}`"


@cache
def _told() -> dict[str, set[str]]:
    """Rows of the page by group."""
    text = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    sections = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    named = [section.partition("\n") for section in sections]
    return {heading: set(rows.splitlines()) for heading, _, rows in named}


def _table(collected: list[tuple[str, str]]) -> str:
    rows = {group: list(dict.fromkeys(row for of, row in collected if of == group)) for group in GROUPS}
    total = sum(map(len, rows.values()))
    lines = [BEGIN, f"The tests check {total} invalid inputs and their messages.", ""]
    for group, of_group in rows.items():
        lines += [f"### {group}", "", "| input | message |", "|---|---|", *of_group, ""]
    return "\n".join((*lines, END))


def main() -> None:
    """Runs the tests and writes what they give into the page."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "collected"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "not long", *dict.fromkeys(GROUPS.values())]
        subprocess.run(command, cwd=ROOT, env={**os.environ, COLLECT: str(file)}, check=True)
        collected = [tuple(json.loads(line)) for line in file.read_text().splitlines()]
    text = PAGE.read_text()
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(before + _table(collected) + after)


if __name__ == "__main__":
    main()
