"""Whatever a file holds, it is read, or refused in one sentence; nothing runs, hangs, or is written."""

import hypothesis
import pytest

from bench.fuzzing import fuzz
from tests.fuzzing.contract import check
from tests.fuzzing.targets import TARGETS

FEW = 100
MINUTES = 10.0


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_harms_a_parser(name: str) -> None:
    target = TARGETS[name]()

    @hypothesis.settings(max_examples=FEW, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(target.inputs)
    def spoil(given: object) -> None:
        check(target, given)

    spoil()


@pytest.mark.long
@pytest.mark.atheris
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_harms_a_parser_for_minutes(name: str) -> None:
    assert fuzz(name, MINUTES)["inputs"] > FEW
