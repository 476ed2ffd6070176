"""Fuzzes one parser for some time, led by which lines of jdgnn it reaches.

`python -m tests.fuzzing TARGET SECONDS CORPUS` takes so much time of a processor, and prints how many inputs were given
as its last line, a JSON text; it ends with another status than 0, and the input, as soon as a parser breaks a promise.
CORPUS is a directory for what led to new lines; it may hold some from before.
"""

import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["jdgnn"]):  # of what is imported within, and nothing else
    from tests.fuzzing.targets import TARGETS

import hypothesis

from tests.fuzzing.contract import check

MOST_MEGABYTES = 6_000
MOST_SECONDS = 60
MOST_BYTES = 4_096
"""Of the random bytes that choose an input."""


def main(name: str, seconds: str, corpus: str) -> None:
    """Fuzzes; does not return, as libFuzzer ends the process."""
    warnings.simplefilter("ignore")
    target, end, given = TARGETS[name](), time.process_time() + float(seconds), {"inputs": 0, "refused": 0}

    @hypothesis.settings(database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(target.inputs)
    def spoil(one: object) -> None:
        given["inputs"] += 1
        given["refused"] += check(target, one) is not None

    chosen_by: Any = spoil

    def once(choices: bytes) -> None:
        chosen_by.hypothesis.fuzz_one_input(choices)
        if time.process_time() >= end:
            led_to = sum(path.is_file() for path in Path(corpus).iterdir())
            print(json.dumps({"target": name, **given, "led_to_new_lines": led_to}), flush=True)
            os._exit(0)

    Path(corpus).mkdir(parents=True, exist_ok=True)
    limits = [f"-rss_limit_mb={MOST_MEGABYTES}", f"-timeout={MOST_SECONDS}", f"-max_len={MOST_BYTES}", "-len_control=0"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={corpus}/", "-print_final_stats=1", corpus], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
