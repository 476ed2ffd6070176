"""The roofline is the count that docs/performance.md writes down, and what is too much for memory goes in batches."""

import dataclasses
from pathlib import Path

import pytest

from bench import gpu, memory, parts, peaks, peers, scaling, speed, throughput
from bench.machine import shown
from bench.roofline import model_bytes, roofline_bytes
from bench.workload import Options

ONE = Options(nodes=100)
PARAMETERS = 64 * 65


@pytest.mark.parametrize(
    ("changes", "strict", "streaming"),
    [
        ({}, 2, 3),
        ({"optimizer": "momentum"}, 4, 5),
        ({"optimizer": "adam"}, 6, 7),
        ({"sampler": "matching"}, 2, 2),
        ({"gossip": False}, 2, 2),
    ],
)
def test_floor_counts_arrays(changes: dict[str, object], strict: int, streaming: int) -> None:
    options = Options(**{**dataclasses.asdict(ONE), **changes})
    beside = 4 * 64 * (8 + 8) + 8 * 64 * 8  # samples, and each of 8 edges
    assert sum(roofline_bytes(options, "strict").values()) == pytest.approx(strict * 4 * PARAMETERS + beside)
    assert sum(roofline_bytes(options, "streaming").values()) == pytest.approx(streaming * 4 * PARAMETERS + beside)


def test_parameters_kept_in_half_are_counted_so() -> None:
    half = dataclasses.replace(ONE, optimizer="adam", param_dtype="bfloat16")
    counted = roofline_bytes(half)
    assert counted["parameters"] == 2 * 2 * PARAMETERS
    assert counted["received models"] == 2 * PARAMETERS
    assert counted["optimizer"] == 4 * 4 * PARAMETERS
    assert model_bytes(half) == 100 * (2 + 2 * 4) * PARAMETERS


def test_batches_hold_every_setting_once() -> None:
    settings = throughput.suite(ONE)
    assert throughput.in_batches(settings, 1e15) == [settings]
    alone = throughput.in_batches(settings, 0.0)
    assert [name for batch in alone for name in batch] == list(settings)
    assert all(len(batch) == 1 for batch in alone)


@pytest.mark.parametrize("program", [gpu, memory, parts, peaks, peers, scaling, speed, throughput])
def test_a_missing_result_is_told(program: object, tmp_path: Path) -> None:
    assert shown(tmp_path / "none.json", program.table) == "none.json: not measured yet"  # type: ignore[attr-defined]
