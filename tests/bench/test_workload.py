"""The standard workload is what its options say, and its roofline counts what the emulator really holds."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from bench.roofline import Ceiling, merges_of_a_wake, model_bytes, roofline_bytes
from bench.throughput import SHARED, suite, why_not_comparable
from bench.workload import Options, emulated, emulator_of, network_of, random_network
from jdgnn.emulation.start import tree_bytes

SMALL = Options(nodes=40, units=8, degree=4, positives=2, negatives=3)


@pytest.mark.parametrize("name", suite(SMALL))
def test_floor_counts_what_is_held(name: str) -> None:
    options = suite(SMALL)[name]
    emulator = emulator_of(options)
    state = emulator.shapes(network_of(options))
    assert options.num_parameters * 4 * options.nodes == tree_bytes(state.params)
    counters = tree_bytes((state.params, state.opt_state)) - model_bytes(options)  # Adam counts its steps
    assert 0 <= counters <= 4 * options.nodes * options.layers
    assert state.samples is not None
    kept = tree_bytes(state.samples.entries) / options.nodes
    positives = kept / options.negatives * options.positives
    assert roofline_bytes(options)["samples"] == pytest.approx(kept + positives)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_uniform_receivers_merge_less(asynchronous: bool) -> None:
    options = dataclasses.replace(SMALL, sampler="uniform", asynchronous=asynchronous)
    generator, merged, woken, waits = np.random.default_rng(0), 0, 0, np.zeros(options.nodes, bool)
    for _ in range(3_000):
        is_sent = generator.random(options.nodes) < (0.45 if asynchronous else 1.0)
        others = generator.integers(1, options.nodes, options.nodes)
        waits[(np.arange(options.nodes) + others)[is_sent] % options.nodes] = True
        awake = generator.random(options.nodes) < options.awake
        merged, woken = merged + int((waits & awake).sum()), woken + int(awake.sum())
        waits &= ~awake
    assert merges_of_a_wake(options) == pytest.approx(merged / woken, abs=0.01)


def test_it_runs_and_tells_of_itself() -> None:
    work = emulated(threads=1, **dataclasses.asdict(SMALL))
    assert work.run(3) > 0
    assert work.about["model_bytes"] == model_bytes(SMALL)
    assert work.about["state_bytes"] > work.about["model_bytes"]
    assert work.about["compile_seconds"] > 0


def test_a_pass_reads_and_writes() -> None:
    array = Ceiling(4_000)
    assert array.num_bytes == 8_000
    assert array.run(3) > 0


def test_networks_follow_options() -> None:
    network = random_network(500, units=3, degree=6, seed=1, dtype="float64")
    assert network.features.shape == (500, 3)
    assert network.features.dtype == np.float64
    assert network.num_edges / network.num_nodes == pytest.approx(6, abs=0.2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sampler": "random"}, "sampler is 'random', not one of 'rotation'"),
        ({"optimizer": "lion"}, "optimizer is 'lion'"),
        ({"dtype": "float16"}, "dtype is 'float16'"),
        ({"layers": 0}, "layers is 0"),
    ],
)
def test_what_there_is_not_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Options(**changes)


def test_only_the_same_work_is_compared() -> None:
    assert set(SHARED) < {field.name for field in dataclasses.fields(Options)}
    assert why_not_comparable(Options()) is None
    for changes in ({"layers": 2}, {"gossip": False}, {"optimizer": "momentum"}, {"positives": 9}):
        assert why_not_comparable(dataclasses.replace(Options(), **changes)) is not None
