"""The physical limit: how many bytes a node-update must move, and how fast this machine moves them.

Whatever the arithmetic, a tick reads the parameters and the optimiser state of every node that is awake, and writes
them back. Two counts of that are told:

- *strict*: every array is read once and written once. A received model costs nothing more where it is the row of a
  node that is read in the same tick anyway.
- *streaming*: a received model is read once more, as it must be where the rows in between do not stay in a cache.

The ceiling is what an in-place scale of one array of the same size moves, read and written: time it in turn with what
it is to be compared with, on the same cores and pages, and at that size, since caches may hold a small array.
"""

import statistics
import time
from typing import Any

import jax.numpy as jnp

from bench.workload import AWAKE, LOSS, Options
from jdgnn.emulation.roofline import scaled

COUNTS = ("strict", "streaming")
SLOTS = {"sgd": 0, "momentum": 1, "adam": 2}
ITEMSIZE = {"bfloat16": 2, "float32": 4, "float64": 8}
PASSES = 4  # in one call of the compiled program


def roofline_bytes(options: Options, count: str = "streaming") -> dict[str, float]:
    """Bytes by part that a node-update must move.

    Args:
      options: the work.
      count: one of `COUNTS`.

    Returns:
      Bytes by part; their sum is the roofline.
    """
    number = ITEMSIZE[options.dtype]
    model, rows = _kept(options) * options.num_parameters, options.layers * options.units * number
    return {
        "parameters": 2.0 * model,
        "optimizer": 2.0 * SLOTS[options.optimizer] * number * options.num_parameters,
        "received models": (model * models_read(options) if count == "streaming" else 0.0),
        "samples": float(rows * (options.positives + options.negatives)),
        "edges": 2.0 * rows * options.degree,
    }


def models_read(options: Options) -> float:
    """Received models that a node-update must read again, on average; none where pairs are merged in place."""
    in_place = options.sampler == "matching" and not options.asynchronous
    return 0.0 if in_place or not options.gossip else merges_of_a_wake(options)


def merges_of_a_wake(options: Options) -> float:
    """How likely a model waits for a node that wakes: not always where receivers are random, or models lost."""
    sent = (1 - LOSS) * AWAKE if options.asynchronous else 1.0  # of each node, on average
    others = max(1, options.nodes - 1)
    nothing_came = (1 - sent / others) ** others if options.sampler == "uniform" else 1 - sent
    # in the ticks since the last wake, of which there are k with probability p (1 - p)^(k - 1)
    asleep = 1 - options.awake
    return 1 - options.awake * nothing_came / (1 - asleep * nothing_came)


def model_bytes(options: Options) -> int:
    """Bytes of all nodes' parameters and optimiser state: the size at which the ceiling is timed."""
    number = _kept(options) + SLOTS[options.optimizer] * ITEMSIZE[options.dtype]
    return options.nodes * number * options.num_parameters


def _kept(options: Options) -> int:
    """Bytes of a parameter."""
    return ITEMSIZE[options.param_dtype or options.dtype]


class Ceiling:
    """An in-place scale of one array, as a contender of `bench.worker`; a round is one pass over it.

    Args:
      num_bytes: size of the array.
      threads: left to the worker, which says on how many cores it runs.

    Attributes:
      num_bytes: what a pass reads and writes.
    """

    def __init__(self, num_bytes: int, threads: int | None = None) -> None:
        del threads
        self._array = jnp.ones(max(1, num_bytes // 4), jnp.float32)
        self.num_bytes = 2 * self._array.nbytes
        self.about: dict[str, Any] = {"num_bytes": self.num_bytes}
        self.run(1)

    def run(self, rounds: int) -> float:
        """Seconds that so many passes take."""
        started = time.perf_counter()
        # a factor that the compiler does not know
        self._array = scaled(self._array, jnp.float32(1), jnp.int32(rounds)).block_until_ready()
        return time.perf_counter() - started


def ceiling(num_bytes: int, seconds: float = 1.0) -> float:
    """Bytes per second that an in-place scale moves: the median of calls that take about so long together.

    Args:
      num_bytes: size of the array.
      seconds: how long to measure.

    Returns:
      Bytes read and written per second.
    """
    array, times = Ceiling(num_bytes), list[float]()
    while len(times) < 3 or sum(times) < seconds:
        times.append(array.run(PASSES))
    return PASSES * array.num_bytes / statistics.median(times)
