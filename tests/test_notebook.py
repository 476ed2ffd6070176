"""What notebooks show is sound HTML that loads nothing and runs nothing, whatever things are called."""

import dataclasses
import html.parser
import io
import sys
import types
from typing import Any

import jax
import numpy as np
import pytest

import jdgnn
from jdgnn.emulation.described import described
from tests.support import small_emulator, small_network

STRANGE = "<script>alert('x')</script>&\x1b[2J\""
VOID = {"circle", "polyline", "br"}


class _Page(html.parser.HTMLParser):
    """Asserts that every tag that is opened is closed, and gathers text and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.append(tag)
        self.attributes += attrs

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _page(text: str) -> _Page:
    page = _Page()
    page.feed(text)
    page.close()
    assert not page.open
    assert "script" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href")]
    assert "\x1b" not in text
    return page


def _text(thing: Any) -> str:
    return " ".join(_page(thing._repr_html_()).text)


def _tiny() -> jdgnn.Emulator:
    return jdgnn.Emulator(
        layers=[jdgnn.gcn(2)],
        objective=jdgnn.info_nce(),
        optimizer=jdgnn.sgd(0.1),
        push=jdgnn.push(),
        gossip=jdgnn.gossip(),
    )


@pytest.fixture(scope="module")
def ran() -> tuple[jdgnn.State, jdgnn.History]:
    network, emulator = small_network(), _tiny()
    return jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 4, record_every=1)


def test_a_network_tells_counts_degrees_components_labels_splits_and_what_was_removed() -> None:
    labels = np.array([0, 0, 1, 1, 1])
    mask = np.eye(5, dtype=bool)[None]
    network = jdgnn.network.from_edges(
        [0, 0, 1, 3],
        [1, 1, 2, 3],
        np.eye(5),
        labels=labels,
        splits=jdgnn.network.Splits(train=mask[:, 0], validation=mask[:, 1], test=mask[:, 2]),
        link_quality=[0.5, 0.25, 1.0, 1.0],
        name=STRANGE,
        class_names=("a", STRANGE),
    )
    text = _text(network)
    for part in ("0 to 1, mean 0.4", "3 nodes without", "3, the largest of 3", "a (2)", "1: train 1, validation 1"):
        assert part in text
    assert "1 self-loops; 1 duplicate links merged" in text
    assert "0.5 to 1, mean 0.75" in text
    assert "<script>" in text, "it is shown, as text"


@pytest.mark.parametrize("num_nodes", [1, 3])
def test_networks_without_labels_or_edges_are_shown(num_nodes: int) -> None:
    network = jdgnn.network.from_edges([], [], np.eye(num_nodes), allow_no_edges=True)
    assert "labels none" in _text(network)


def test_an_emulator_tells_its_parts_and_their_numbers() -> None:
    emulator = small_emulator(
        optimizer=jdgnn.adam(0.25),
        gossip=jdgnn.gossip(merge=jdgnn.merging.limited(3), link=jdgnn.link(drop=0.125)),
        availability=jdgnn.availability(jdgnn.clocks.bernoulli(0.5), jdgnn.presence.churn(20, 5)),
    )
    text = _text(emulator)
    for part in ("4 units; of what neighbours sent: symmetric sum", "3 units", "info_nce(temperature=0.5)"):
        assert part in text
    for part in ("learning_rate=0.25", "limited(limit=3)", "drop bernoulli(prob=0.125)", "churn(mean_session=20"):
        assert part in text
    assert "push none" in _text(small_emulator(objective=jdgnn.vicreg(), push=None))


def test_a_part_of_the_users_is_called_by_its_name() -> None:
    def mine(params: Any, gradient: Any) -> Any:
        return params

    assert described(jdgnn.Optimizer(init=mine, step=mine)) == "mine"


def test_a_history_tells_the_last_figures_with_a_line_each_and_what_became_of_messages(ran: Any) -> None:
    _, history = ran
    page = _page(history._repr_html_())
    text = " ".join(page.text)
    assert page.tags.count("svg") == 2
    assert "4 records to tick 4" in text
    assert f"{history.consensus_distance[-1]:.3g}" in text
    assert f"{history.rows()[-1]['messages_delivered']['embedding']:,}" in text


def test_histories_without_records_or_numbers_are_shown(ran: Any) -> None:
    _, history = ran
    assert "empty" in _text(jax.tree.map(lambda leaf: leaf[:0], history))
    assert "diverged by tick 2" in _text(dataclasses.replace(history, loss=np.full_like(history.loss, np.nan)))


def test_a_state_tells_how_large_it_is_and_whether_it_was_consumed(ran: Any) -> None:
    network, emulator = small_network(), _tiny()
    assert "after tick 4" in _text(ran[0])
    assert "shapes only" in _text(emulator.shapes(network))
    first = emulator.init(jax.random.key(0), network)
    jdgnn.run(emulator, first, network, 1)
    assert "consumed" in _text(first)
    assert repr(first) == "State(consumed by a run, which returned the next)"


def _report(tick: int, rows: bool = True) -> jdgnn.Progress:
    row = {"tick": tick, "loss": [1.0, None], "consensus_distance": None}
    state: Any = None
    return jdgnn.Progress(
        tick=tick, start_tick=0, end_tick=100, rows=[row] if rows else [], ticks_per_second=10.0, state=state
    )


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    bar = jdgnn.progress_bar()
    for tick in (50, 75, 100):
        bar(_report(tick, rows=tick == 50))
    lines = terminal.getvalue().split("\r")
    assert {len(line.rstrip("\n")) for line in lines[1:]} == {79}
    assert "50/100" in lines[1]
    assert "loss 1 consensus -" in lines[2], "what was not recorded anew stays"
    assert lines[3].endswith("\n")


def test_elsewhere_there_are_a_few_lines_for_each_run(capsys: pytest.CaptureFixture[str]) -> None:
    bar = jdgnn.progress_bar()
    for _ in range(2):
        for tick in range(1, 101):
            bar(_report(tick))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 * 21
    assert lines[-1] == lines[20] == "tick 100/100, 10 ticks/s, 0:00 left, loss 1, consensus -"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a notebook shows, in a kernel that is none."""
    import IPython
    import IPython.display

    shown: list[Any] = []
    handle = types.SimpleNamespace(update=shown.append)

    def display(thing: Any, display_id: bool) -> Any:
        shown.append(thing)
        return handle

    monkeypatch.setattr(IPython, "get_ipython", lambda: types.SimpleNamespace(kernel=None))
    monkeypatch.setattr(IPython.display, "display", display)
    return shown


def test_a_notebook_has_a_bar_that_is_drawn_anew(drawn: list[Any]) -> None:
    bar = jdgnn.progress_bar()
    for tick in (50, 100):
        bar(_report(tick))
    assert [("value", "50") in _page(one.data).attributes for one in drawn] == [True, False]
    assert "100 of 100 ticks, 10 ticks/s" in " ".join(_page(drawn[-1].data).text)
