"""What every parser promises of anything that it is given."""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from jdgnn import InputError
from jdgnn.experiment.run.locks import LOCK
from tests.fuzzing.guard import watched
from tests.fuzzing.mutation import Files
from tests.fuzzing.targets import Target, taken

MOST_SECONDS = 20.0
LONGEST_SENTENCE = 2_000


def check(target: Target, given: Any) -> str | None:
    """Has a parser read something, and asserts what it promises.

    It either takes it or says in one sentence why not; it runs nothing, writes nothing, and does not hang.

    Returns:
      The sentence, or None.
    """
    folder = Path(tempfile.mkdtemp(prefix="jdgnn-fuzzing-"))
    try:
        return _check(target, given, folder)
    finally:
        shutil.rmtree(folder)


def _check(target: Target, given: Any, folder: Path) -> str | None:
    files = target.files(given)
    _put(files, folder)
    started, sentence = time.monotonic(), None
    with watched() as done:
        try:
            target.parse(given, folder)
        except InputError as error:
            sentence = str(error)
    assert not done, done
    assert time.monotonic() - started < MOST_SECONDS
    assert {name: content for name, content in taken(folder).items() if not name.endswith(LOCK)} == files
    if sentence is not None:
        assert sentence.isprintable(), repr(sentence)
        assert 10 < len(sentence) <= LONGEST_SENTENCE, repr(sentence)
    return sentence


def _put(files: Files, folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
