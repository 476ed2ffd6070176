"""Runs one contender in a process of its own, so that a parent can alternate between contenders.

A contender is what a factory "module:function" gives for its keyword arguments: an object with `run(rounds)`, which
gives seconds; what else it has to tell stands in its attribute `about`, if it has one. The child is
`python -m bench.worker '{"factory": ..., "arguments": {...}, "threads": ...}'`. It prints a line of JSON when it is
ready, with the seconds that took, then one for each line "run N" it reads, and ends with its input. A line with "error"
in it is its last.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from bench.watch import most_resident

ROOT = Path(__file__).resolve().parent.parent
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
HUGE_PAGES = "glibc.malloc.hugetlb=1"


class ContenderError(RuntimeError):
    """A contender could not start, or failed while it ran."""


class Contender:
    """One contender in a process of its own.

    Args:
        name: what errors call it.
        description: "factory", as "module:function", and "arguments", its keyword arguments.
        huge_pages: whether the C library is told to ask for huge pages.
        threads: on so many cores, and with so many threads.
        python: the interpreter that runs it.

    Attributes:
        setup_seconds: how long the child took to be ready: importing its library, making the network, compiling.
        about: what the contender tells of itself.
        peak_bytes: the most memory the child has held so far.
    """

    def __init__(
        self,
        name: str,
        description: Mapping[str, Any],
        huge_pages: bool = False,
        threads: int = 2,
        python: str = sys.executable,
    ) -> None:
        self.name = name
        self._errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115  (closed by close)
        self._process = subprocess.Popen(
            [python, "-m", "bench.worker", json.dumps({**description, "threads": threads})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=ROOT,
            env=environment(huge_pages, threads),
            text=True,
        )
        ready = self._answer()
        self.setup_seconds: float = ready["ready"]
        self.about: dict[str, Any] = ready["about"]

    def run(self, rounds: int) -> float:
        """Seconds that so many rounds take."""
        assert self._process.stdin is not None
        try:
            print("run", rounds, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise self._failed() from None
        seconds: float = self._answer()["seconds"]
        return seconds

    def close(self) -> None:
        """Ends the process; does no harm twice."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(timeout=20)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def __enter__(self) -> "Contender":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._failed()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            self.close()
            raise ContenderError(f"{self.name}: {answer['error']}")
        self.peak_bytes: int = answer["peak"]
        return answer

    def _failed(self) -> ContenderError:
        """What is to be said of a child that ended without a word."""
        status = self._process.wait()
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        hint = " (too little memory?)" if status == -signal.SIGKILL else ""
        self._errors.seek(0)
        last = "\n".join(self._errors.read().splitlines()[-8:])
        self.close()
        return ContenderError(f"{self.name}: the process {how}{hint}" + (f"; its last words:\n{last}" if last else ""))


def environment(huge_pages: bool, threads: int) -> dict[str, str]:
    """This process's environment, with the pages and threads of a child; children may share one accelerator."""
    inherited = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    inherited |= {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    pages = {"GLIBC_TUNABLES": HUGE_PAGES} if huge_pages else {}
    return inherited | pages | dict.fromkeys(THREAD_VARIABLES, str(threads))


def make(description: Mapping[str, Any]) -> Any:
    """Calls the factory that a description names."""
    module, _, function = description["factory"].partition(":")
    return getattr(importlib.import_module(module), function)(**description.get("arguments", {}))


def answer(description: Mapping[str, Any], questions: TextIO, answers: TextIO) -> None:
    """Makes the contender, and runs it as often as asked."""
    started = time.perf_counter()

    def tell(**what: Any) -> None:
        print(json.dumps({**what, "peak": most_resident()}), file=answers, flush=True)

    try:
        contender = make(description)
        tell(ready=time.perf_counter() - started, about=getattr(contender, "about", {}))
        for question in questions:
            tell(seconds=contender.run(int(question.removeprefix("run"))))
    except Exception as error:
        traceback.print_exc()
        tell(error=f"{type(error).__name__}: {error}")
        sys.exit(1)


def main() -> None:
    """Is the child."""
    description = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not stand among the answers
    if hasattr(os, "sched_setaffinity"):  # XLA makes as many threads as there are cores for it
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: description["threads"]])
    answer(description, sys.stdin, answers)


if __name__ == "__main__":
    main()
