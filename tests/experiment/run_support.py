"""A tiny configuration, and what a run directory holds."""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

CONFIG = """
[network]
name = "stochastic_block_model"
num_nodes = 40
num_features = 6

[[layers]]
name = "gcn"
units = 4

[objective]
name = "info_nce"

[optimizer]
name = "adam"
learning_rate = 0.01

[emulation]
ticks = 7
record_every = 3

[evaluation]
tasks = ["linear_probe", "clustering"]
num_splits = 2
per_class = 3
"""


FEW = (1e-2, 1.0, 1e2)
"""Strengths of the penalty of probes, in place of the twelve of users: probes are most of what a tiny run takes."""
PROCESS = """
import sys
from jdgnn.evaluation import fitting
from tests.experiment.run_support import FEW
fitting.REGULARISATIONS = FEW
from jdgnn.experiment.cli.main import main
sys.exit(main())
"""


LIMITED = """
import os, resource, signal
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "1e9"  # no halves of compiled programs for other tests
resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes}, {bytes}))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
"""
"""What has a process meet a full disk where a file becomes so long."""
RING = ("--set", "network={name = 'ring', num_nodes = 12, num_features = 3}")
"""A network without labels, where nothing is about what is probed."""


def process(*arguments: object, before: str = "") -> list[str]:
    """What starts `jdgnn` with these arguments in a process of its own, with the probes of the tests.

    Args:
      *arguments: of the command line.
      before: Python that is run first.
    """
    return [sys.executable, "-c", before + PROCESS, *map(str, arguments)]


class Variants(NamedTuple):
    config: Path
    first: Path  # seeds 0, 1, 2
    second: Path  # seeds 0, 1
    output: str  # of the first


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file() and path.name != ".lock"}


def rows(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]


def summary(directory: Path) -> dict[str, Any]:
    return json.loads((directory / "summary.json").read_text())


def arrays(directory: Path, name: str) -> dict[str, NDArray[Any]]:
    with np.load(directory / name, allow_pickle=False) as found:
        return dict(found)


def assert_every_message_has_one_end(summary: dict[str, Any]) -> None:
    for kind, counts in summary["messages"].items():
        assert sum(count for end, count in counts.items() if end != "sent") == counts["sent"]
        assert summary["bytes_sent"][kind] == counts["sent"] * summary["bytes_per_message"][kind]
