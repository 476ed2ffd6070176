"""What a person sees while a run goes."""

import io
from typing import Any, cast

import pytest
from rich.console import Console

from jdgnn import Progress, State
from jdgnn.experiment.run.progress import display

KINDS = ("embedding", "push", "model")


def report(tick: int, **figures: Any) -> Progress:
    row = {
        "tick": tick,
        "loss": [1.0, 2.0],
        "consensus_distance": 0.0123456,
        "norm_ratio": 1.5,
        "effective_rank": [7.25, None],
        "online": 1.0,
        "active": 0.25,
        "quantiles": {"staleness": [1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 90.0]},
        **{f"messages_{end}": dict.fromkeys(KINDS, 0) for end in ("sent", "delivered", "dropped", "to_offline")},
        "bytes_sent": dict.fromkeys(KINDS, 2_000_000),
        **figures,
    }
    return Progress(tick=tick, start_tick=0, end_tick=1000, rows=[row], ticks_per_second=12.34, state=cast(State, None))


def shown(reports: list[Progress], *, terminal: bool, score: str = "", encoding: str = "utf-8") -> str:
    output = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=output, force_terminal=terminal, width=80, color_system=None, legacy_windows=False)
    with display(console, 1000) as display_:
        for one in reports:
            display_.show(one)
        if score:
            display_.evaluated(880, score)
    output.flush()
    return output.buffer.getvalue().decode(encoding)


def last_picture(text: str) -> list[str]:
    """What a terminal shows at the end."""
    lines = [line.split("\x1b[2K")[-1].rstrip() for line in text.replace("\r", "\n").splitlines()]
    start = max(index for index, line in enumerate(lines) if "/1000" in line)
    return [line for line in lines[start:] if line and not line.startswith("\x1b")]


def test_a_terminal_shows_a_bar_and_what_was_recorded_in_few_lines_of_80_columns() -> None:
    sent = {"embedding": 1000, "push": 200, "model": 0}
    dropped = {"messages_sent": sent, "messages_delivered": dict.fromkeys(KINDS, 100), "messages_dropped": sent}
    lines = last_picture(shown([report(600), report(880, loss=[0.5, 2.0], **dropped)], terminal=True))
    assert len(lines) <= 8
    assert max(map(len, lines)) <= 80
    for line, part in enumerate(
        ("880/1000 12.3 ticks/s 0:10 left", "0.5↓ 2   effective rank 7.25 -", "consensus   0.0123")
    ):
        assert part in lines[line]
    assert "norm ratio 1.5" in lines[2]
    assert "online 100 %  active 25 %  staleness median 3, 95 % at most 5" in lines[3]
    assert "embeddings  delivered 10 %  dropped 100 %  to offline 0 %  2.0 MB sent" in lines[4]
    assert lines[5].startswith("pushes      delivered 50 %")
    assert "models      delivered" not in "\n".join(lines), "none was sent"


def test_a_terminal_without_arrows_gets_signs() -> None:
    text = shown([report(600), report(880, loss=[0.5, 2.5])], terminal=True, encoding="ascii")
    assert "0.5- 2.5+" in text


def test_scores_have_a_line_of_its_own_once_there_is_something() -> None:
    assert "score" not in shown([report(880)], terminal=True)
    assert last_picture(shown([report(880)], terminal=True, score="learned 81.2"))[-1].split() == [
        *("score", "tick", "880:", "learned", "81.2")
    ]


def test_a_terminal_shows_a_run_that_records_nothing() -> None:
    silent = report(880).replace(rows=[])  # type: ignore[attr-defined]
    assert len(last_picture(shown([silent], terminal=True))) == 1


def test_elsewhere_a_run_gives_at_most_a_few_plain_lines() -> None:
    lines = shown([report(tick) for tick in range(1, 1001)], terminal=False).splitlines()
    assert lines[:2] == ["compiling", "81 ms a tick: about 1:21 for 1,000 ticks"]
    assert 10 <= len(lines) <= 23
    assert lines[-1] == "tick 1000/1000, 12.3 ticks/s, 0:00 left, loss 1.5, consensus 0.0123"
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_missing_is_a_dash(terminal: bool) -> None:
    nothing = [None] * 7
    missing = report(1000, loss=[None, None], consensus_distance=None, active=None, quantiles={"staleness": nothing})
    text = shown([missing], terminal=terminal)
    for part in (
        ("loss       -  -", "consensus  -  norm ratio", "active -  staleness median -, 95 % at most -")
        if terminal
        else ("loss -", "consensus -")
    ):
        assert part in text
