"""What a person sees while a run goes."""

import io
from typing import Any, cast

import pytest
from rich.console import Console

from jdgnn import Progress, State
from jdgnn.experiment.progress import display


def report(tick: int, **figures: Any) -> Progress:
    row = {"tick": tick, "loss": [1.0, 2.0], "consensus_distance": 0.0123456, **figures}
    return Progress(tick=tick, start_tick=0, end_tick=1000, rows=[row], ticks_per_second=12.34, state=cast(State, None))


def shown(reports: list[Progress], *, terminal: bool) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=80, color_system=None)
    with display(console, 1000) as display_:
        for one in reports:
            display_.show(one)
    return output.getvalue()


def test_a_terminal_shows_speed_time_left_loss_and_consensus_in_one_line() -> None:
    text = shown([report(600), report(880)], terminal=True)
    last = [line for line in text.replace("\r", "\n").splitlines() if "880/1000" in line][-1]
    for part in ("12.3 ticks/s", "0:10 left", "loss 1.5", "consensus 0.0123"):
        assert part in last


def test_elsewhere_a_run_gives_at_most_a_few_plain_lines() -> None:
    lines = shown([report(tick) for tick in range(1, 1001)], terminal=False).splitlines()
    assert lines[:2] == ["compiling", "81 ms a tick: about 1:21 for 1,000 ticks"]
    assert 10 <= len(lines) <= 23
    assert lines[-1] == "tick 1000/1000, 12.3 ticks/s, 0:00 left, loss 1.5, consensus 0.0123"
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_missing_is_a_dash(terminal: bool) -> None:
    text = shown([report(1000, loss=[None, None], consensus_distance=None)], terminal=terminal)
    assert "loss -" in text
    assert "consensus -" in text
