"""What `test_same_bits.py` leaves: chunks of random lengths, more ticks than one has, bfloat16, no kernels, threads."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import accumulate, pairwise, product, repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import pytest

import jdgnn
from tests.emulation.mixes import MIXES, NETWORK
from tests.seldom import mostly_long
from tests.support import run_optimised, small_emulator

TICKS = 70  # more than a chunk has room for
EMULATORS: dict[str, Callable[[], jdgnn.Emulator]] = {
    "without kernels": lambda: replace(MIXES["walking"].emulator(), backend="plain"),
    "with a pool and random views": lambda: MIXES["harsh"].emulator(),
    "with models in pieces": lambda: MIXES["joining"].emulator(),
    "in bfloat16": lambda: replace(MIXES["asleep"].emulator(), param_dtype="bfloat16"),
}
OFTEN = "with a pool and random views"

Rows = dict[int, dict[str, Any]]  # by tick


class Outcome(NamedTuple):
    digest: str
    rows: Rows


def by_tick(*histories: jdgnn.History) -> Rows:
    return {row["tick"]: row for history in histories for row in history.rows()}


def run(emulator: jdgnn.Emulator, ticks: int = TICKS, network: jdgnn.Network = NETWORK, **arguments: Any) -> Outcome:
    state = emulator.init(jax.random.key(7), network)
    state, history = jdgnn.run(emulator, state, network, ticks, **{"record_every": 1, **arguments})
    return Outcome(jdgnn.digest(state), by_tick(history))


def assert_same(outcome: Outcome, expected: Outcome) -> None:
    assert outcome.digest == expected.digest
    shared = outcome.rows.keys() & expected.rows.keys()
    assert max(shared) == max(expected.rows)
    assert {tick: outcome.rows[tick] for tick in shared} == {tick: expected.rows[tick] for tick in shared}


@cache
def emulator_of(name: str) -> jdgnn.Emulator:
    return EMULATORS[name]()


@cache
def whole(name: str) -> Outcome:
    """A run in one go, in which every tick is recorded."""
    return run(emulator_of(name))


def ignore(progress: jdgnn.Progress) -> None:
    pass


def at_random_moments(emulator: jdgnn.Emulator, folder: Path) -> Outcome:
    """Watched, in chunks as long as a clock that goes by fits and starts makes them."""
    moments = random.Random(3)
    ends: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        seconds = accumulate(moments.expovariate(5) for _ in repeat(None))
        patch.setattr("jdgnn.emulation.run.time", SimpleNamespace(perf_counter=lambda: next(seconds)))
        patch.setattr("jdgnn.emulation.run.TELLING_SECONDS", 0.2)
        outcome = run(emulator, on_progress=lambda progress: ends.append(progress.tick))
    assert len({end - start for start, end in pairwise(ends)}) > 3
    return outcome


def recorded_and_replayed(emulator: jdgnn.Emulator, folder: Path) -> Outcome:
    """Both are the same, in chunks of other lengths."""
    recorded = run(emulator, record=folder / "events.npz", on_progress=ignore, progress_every=11)
    replayed = run(emulator, replay=folder / "events.npz", record_every=4)
    assert_same(replayed, recorded)
    return recorded


def cut_and_restored(emulator: jdgnn.Emulator, folder: Path) -> Outcome:
    """Several runs, each from the disk, with other ticks recorded and another way to be told."""
    state, histories = emulator.init(jax.random.key(7), NETWORK), []
    for ticks, every in ((1, 1), (40, 6), (TICKS - 41, 1)):
        state, history = jdgnn.run(
            emulator, state, NETWORK, ticks, record_every=every, on_progress=ignore if every > 1 else None
        )
        histories.append(history)
        jdgnn.save(folder / str(ticks), emulator, state, NETWORK)
        state = jdgnn.restore(folder / str(ticks), emulator, NETWORK)
    return Outcome(jdgnn.digest(state), by_tick(*histories))


WAYS: dict[str, Callable[[jdgnn.Emulator, Path], Outcome]] = {
    "at random moments": at_random_moments,
    "recorded and replayed": recorded_and_replayed,
    "cut and restored": cut_and_restored,
}


@pytest.mark.parametrize(
    ("way", "name"),
    mostly_long(product(WAYS, EMULATORS), [(way, OFTEN) for way in WAYS]),
)
def test_no_bit_depends_on_how_a_run_is_made(way: str, name: str, tmp_path: Path) -> None:
    assert_same(WAYS[way](emulator_of(name), tmp_path), whole(name))


def shared_by_threads() -> Outcome:
    """A run that is large enough for several to share, with models that are merged in place."""
    emulator = small_emulator(
        layers=[jdgnn.gcn(24)],
        objective=jdgnn.masked_input(),
        optimizer=jdgnn.sgd(0.1),
        push=jdgnn.push(link=jdgnn.link(drop=0.2, delay=jdgnn.links.uniform(0, 3))),
        gossip=jdgnn.gossip(capacity=1, link=jdgnn.link(drop=0.2)),
    )
    return run(emulator, 8, jdgnn.generators.stochastic_block_model(1500, 3, 40))


def elsewhere(threads: int, seed: int) -> Outcome:
    """The same in a process of so many threads and with such a seed for hashes, compiled as users have it."""
    code = "from tests.emulation.test_determinism import *; print(json.dumps(shared_by_threads()))"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NPROC", str(threads))  # which XLA asks for, also when it compiles
        patch.setenv("JAX_ENABLE_COMPILATION_CACHE", "false")
        patch.setenv("PYTHONHASHSEED", str(seed))
        digest, rows = json.loads(run_optimised("-c", code))
    return Outcome(digest, {int(tick): rows[tick] for tick in rows})


@pytest.mark.long
def test_no_bit_of_a_state_depends_on_the_process_or_its_threads() -> None:
    """One figure does, in its last digits: `effective_rank` multiplies matrices, whose sums are cut for threads."""
    assert_same(without_rank(elsewhere(1, 1)), without_rank(elsewhere(3, 2)))


def without_rank(outcome: Outcome) -> Outcome:
    return outcome._replace(rows={tick: {**row, "effective_rank": None} for tick, row in outcome.rows.items()})
