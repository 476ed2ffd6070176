"""Contenders alternate, and their figures are told round by round."""

import argparse
from typing import Any, cast

import pytest

from bench import turns
from bench.worker import Contender


class Clock:
    """A contender that takes so many seconds a tick, and notes its turns."""

    def __init__(self, name: str, seconds: float, noted: list[str]) -> None:
        self.name, self.seconds, self.noted = name, seconds, noted

    def run(self, ticks: int) -> float:
        self.noted.append(self.name)
        return self.seconds * ticks


def _clocks(**seconds: float) -> tuple[dict[str, Contender], list[str]]:
    noted: list[str] = []
    return {name: cast(Contender, Clock(name, each, noted)) for name, each in seconds.items()}, noted


def _parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    turns.add_options(parser)
    return parser.parse_args(words)


def test_contenders_alternate() -> None:
    running, noted = _clocks(ours=0.5, theirs=2.0)
    told: list[str] = []
    seconds = turns.take_turns(running, {"ours": 8, "theirs": 3}, 2, told.append)
    assert noted == ["ours", "theirs"] * 2
    assert seconds == {"ours": [0.5, 0.5], "theirs": [2.0, 2.0]}
    assert len(told) == 2


def test_a_turn_takes_about_as_long_as_asked() -> None:
    running, _ = _clocks(fast=0.01, slow=7.0)
    assert turns.ticks_for(_parsed("--seconds", "2"), running["fast"]) == 200
    assert turns.ticks_for(_parsed("--seconds", "2"), running["slow"]) == 1
    assert turns.ticks_for(_parsed("--ticks", "5"), running["slow"]) == 5


def test_ratios_are_taken_within_rounds() -> None:
    found = turns.ratios([10.0, 40.0, 30.0], [1.0, 2.0, 6.0])
    assert found == {"median": 10.0, "lowest": 5.0, "highest": 20.0, "all": [10.0, 20.0, 5.0]}


@pytest.mark.parametrize(("number", "told"), [(123_456.0, "123,000"), (99.96, "100"), (0.12345, "0.123")])
def test_three_digits_are_told(number: float, told: str) -> None:
    assert turns.rounded(number) == told


@pytest.mark.parametrize("words", [("--rounds", "0"), ("--pages", "small"), ("--threads", "two")])
def test_what_makes_no_sense_is_refused(words: tuple[str, ...], capsys: Any) -> None:
    with pytest.raises(SystemExit):
        _parsed(*words)
    assert words[0] in capsys.readouterr().err
