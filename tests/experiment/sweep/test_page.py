"""The page of a sweep: it shows the numbers of the table, and makes no requests."""

import random
from typing import Any

import pytest
from rich.console import Console

from jdgnn.experiment.sweep.grid import Axis, variants
from jdgnn.experiment.sweep.page import page
from jdgnn.experiment.sweep.plot import plot
from jdgnn.experiment.sweep.results import Row, are_comparable, best_of
from jdgnn.experiment.sweep.table import print_sweep, sweep_table
from tests.experiment.report.pages import read

RATES = ("0.001", "0.003", "0.01", "0.1")
AXES = {
    "one number": [Axis("optimizer.learning_rate", RATES)],
    "words": [Axis("gossip.merge", ("average", "limited")), Axis("gossip.peers", ("uniform", "matching"))],
    "two": [Axis("push.fanout", ("2", "4")), Axis("optimizer.learning_rate", RATES)],
    "three": [
        Axis("optimizer.learning_rate", RATES),
        Axis("push.fanout", ("2", "4")),
        Axis("gossip.merge", ("average", '{name = "limited", limit = 3}')),
    ],
}
AXES["four"] = [*AXES["three"], Axis("push.capacity", ("8", "16"))]


def _rows(axes: list[Axis], num_seeds: int = 3, *, is_evaluated: bool = True) -> list[Row]:
    draw = random.Random(0)
    return [
        Row(
            variant, list(range(num_seeds)), {seed: _summary(seed, draw, is_evaluated) for seed in range(num_seeds)}, {}
        )
        for variant in variants(axes, 1)
    ]


def _summary(seed: int, draw: random.Random, is_evaluated: bool) -> dict[str, Any]:
    figures = {"learned": 0.7 + 0.1 * draw.random(), "raw": 0.2, "propagated_2hop": 0.74}
    tasks = {"linear_probe": {"accuracy": {name: {"values": [value]} for name, value in figures.items()}}}
    said = {"dataset": "cora", "nodes": 9, "ticks": 9, "loss": [1.5, None], "consensus_distance": 0.01}
    return {**said, "seed": seed, "wall_seconds": 12.3, "digest": "0", "tasks": tasks if is_evaluated else {}}


@pytest.mark.parametrize(
    ("name", "num_panels"), [("one number", 1), ("words", 1), ("two", 1), ("three", 2), ("four", 4)]
)
def test_keys_have_their_places(name: str, num_panels: int) -> None:
    drawn = plot(_rows(AXES[name]))
    assert len(drawn.panels) == num_panels
    for panel in drawn.panels:
        assert {trace.type for trace in panel.figure.data} == {"scatter"}  # which needs no WebGL


def test_a_number_that_spans_decades_is_drawn_by_its_logarithm() -> None:
    (panel,) = plot(_rows(AXES["one number"])).panels
    assert list(panel.figure.layout.xaxis.tickvals) == pytest.approx([-3, -2.5228787, -2, -1])
    assert list(panel.figure.layout.xaxis.ticktext) == list(RATES)


def test_points_are_means_with_their_spread() -> None:
    rows = _rows(AXES["one number"])
    (panel,) = plot(rows).panels
    learned = panel.figure.data[-1]
    assert list(learned.y) == pytest.approx([100 * row.values("learned").mean() for row in rows])
    assert list(learned.error_y.array) == pytest.approx([100 * (row.learned.sd or 0) for row in rows if row.learned])


def test_the_page_makes_no_requests_and_runs_no_script_of_its_input() -> None:
    evil = [Axis("optimizer.learning_rate", ("0.1", "<script>alert(1)</script>"))]
    text = page(_rows(evil), "<img src=x>")
    assert "<script>alert" not in text
    assert "<img src=x>" not in text
    assert {link for link in read(text).links if not link.startswith("#")} == {"data:,"}
    assert '<meta name="viewport"' in text


def test_runs_without_labels_are_shown_by_their_loss() -> None:
    rows = _rows(AXES["one number"], is_evaluated=False)
    (panel,) = plot(rows).panels
    assert list(panel.figure.data[-1].y) == [1.5] * 4
    assert "no embedding was evaluated" in page(rows, "sweep")


def test_no_best_is_named_on_unlike_networks() -> None:
    rows = _rows([Axis("network.num_nodes", ("40", "80"))])
    assert not are_comparable(rows)
    assert best_of(rows) is None
    console = Console(width=80, record=True, quiet=True)
    print_sweep(console, rows)
    assert are_comparable(_rows([Axis("network.projection", ("40", "80"))]))


def test_combinations_without_finished_runs_are_shown_as_what_they_are() -> None:
    good, bad = _rows([Axis("push.fanout", ("2", "4"))])
    bad = bad._replace(summaries={}, failed={0: "the run has diverged", 1: "no room", 2: "no room"})
    text = page([good, bad], "sweep")
    assert "failed: fanout 4, seed 0: the run has diverged" in text
    assert page([bad], "sweep").count("</table>") == 1


@pytest.mark.parametrize("name", AXES)
def test_the_table_fits_80_columns_where_keys_allow(name: str) -> None:
    console = Console(width=80, no_color=True)
    with console.capture() as capture:
        console.print(sweep_table(_rows(AXES[name]), 80))
    lines = capture.get().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert sum("*" in line for line in lines) == 1
