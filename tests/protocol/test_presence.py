"""Who is there: exact traces, rates of leaving and returning within five standard errors."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

import jdgnn
from jdgnn.errors import InputError
from jdgnn.network import Identifiers, ring
from jdgnn.parts import as_argument
from jdgnn.protocol.availability import availability, init_availability, sample_attendance
from jdgnn.protocol.presence import Presence, churn, crash, late_joining, trace
from tests.bad_inputs import assert_told
from tests.protocol.part_support import (
    CHI_SQUARE_LEVEL,
    assert_rate,
    drawn,
)
from tests.support import small_emulator


def masks(key: jax.Array, presence: Presence, num_nodes: int, num_ticks: int) -> tuple[Any, Any]:
    """Who has joined and who is online in each tick [T, N]."""
    init_key, tick_key = jax.random.split(key)

    def step(memory: Any, tick: jax.Array) -> tuple[Any, Any]:
        memory, *here = presence.sample(jax.random.fold_in(tick_key, tick), tick, num_nodes, memory)
        return memory, here

    ticks = jnp.arange(num_ticks, dtype=jnp.int32)
    joined, online = jax.lax.scan(step, presence.init(init_key, num_nodes), ticks)[1]
    return joined, online


def simulate(presence: Presence, num_nodes: int, num_ticks: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    joined, online = drawn(
        lambda presence, key: masks(key, presence, num_nodes, num_ticks), as_argument(presence), jax.random.key(0)
    )
    assert joined.dtype == online.dtype == bool
    assert joined.shape == online.shape == (num_ticks, num_nodes)
    assert not (online & ~joined).any()
    assert not (joined[:-1] & ~joined[1:]).any()
    return np.asarray(joined), np.asarray(online)


def write(folder: Path, text: str) -> Path:
    path = folder / "trace.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(("mean_session", "mean_absence"), [(40.0, 8.0), (5.0, 5.0), (1.5, 20.0)])
def test_churn_leaves_and_returns_at_its_rates_and_is_stationary(mean_session: float, mean_absence: float) -> None:
    joined, online = simulate(churn(mean_session, mean_absence), 20_000, 60)
    assert joined.all()
    for tick in (0, 1, 20, 59):
        assert_rate(online[tick], mean_session / (mean_session + mean_absence))
    assert_rate(~online[1:][online[:-1]], 1 / mean_session)
    assert_rate(online[1:][~online[:-1]], 1 / mean_absence)
    longer = online[:-2] & online[1:-1]  # how long a session has lasted says nothing about its end
    assert_rate(~online[2:][longer], 1 / mean_session)


def test_crashed_nodes_never_return_and_have_joined() -> None:
    prob = 0.05
    joined, online = simulate(crash(prob), 5000, 40)
    assert joined.all()
    assert not (online[1:] & ~online[:-1]).any()
    for tick in (0, 9, 39):
        assert_rate(online[tick], (1 - prob) ** (tick + 1))
    assert simulate(crash(0.0), 50, 5)[1].all()
    assert not simulate(crash(1.0), 50, 5)[1].any()


def test_late_nodes_join_uniformly_in_their_interval_and_stay() -> None:
    share, start, end = 0.4, 3, 9
    joined, online = simulate(late_joining(share, start, end), 20_000, 12)
    assert (joined == online).all()
    assert_rate(~joined[0], share)
    assert_rate(~joined[start - 1], share)
    new = np.diff(joined[start - 1 : end + 1].sum(axis=1))
    assert stats.chisquare(new).pvalue > CHI_SQUARE_LEVEL
    assert joined[end].all()
    assert simulate(late_joining(0, 5, 9), 50, 2)[0].all()
    joined, _ = simulate(late_joining(1, 2, 2), 50, 4)
    assert joined.all(axis=1).tolist() == [False, False, True, True]
    assert not joined[:2].any()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 11), st.integers(1, 6)), min_size=1, max_size=12))
def test_a_trace_is_followed_exactly(tmp_path: Path, intervals: list[tuple[int, int, int]]) -> None:
    lines = [f"{node},{start},{start + length}" for node, start, length in intervals]
    presence = bound(trace(write(tmp_path, "\n".join(["node,start,end", *lines]))), 6)
    for tick in range(18):
        memory, joined, online = presence.sample(jax.random.key(0), jnp.int32(tick), 6, ())
        assert memory == ()
        for node in range(6):
            mine = [(start, start + length) for name, start, length in intervals if name == node]
            assert online[node] == any(start <= tick < end for start, end in mine)
            assert joined[node] == any(start <= tick for start, _ in mine)


def test_a_trace_may_order_its_columns_and_lines_as_it_likes(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes("\ufeffend, node ,start\r\n9,1,5\r\n\r\n 2,0,0\r\n4,1,1\r\n".encode())
    joined, online = simulate(bound(trace(str(path)), 2), 2, 10)
    assert online.astype(int).T.tolist() == [[1, 1, 0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 0, 1, 1, 1, 1, 0]]
    assert joined.astype(int).sum(axis=0).tolist() == [10, 9]


def bound(presence: Presence, nodes: int | tuple[str, ...]) -> Presence:
    """A trace in a network of so many nodes, or of these names."""
    assert presence.bind is not None
    return presence.bind(Identifiers((), nodes) if isinstance(nodes, int) else Identifiers(nodes, len(nodes)))


def test_a_trace_lists_the_nodes_that_a_network_lacks(tmp_path: Path) -> None:
    presence = trace(write(tmp_path, "node,start,end\n0,0,1\n5,0,1\nbob,0,1\n5,2,3\n"))
    with pytest.raises(InputError, match="no node has the name '5', 'bob'; the nodes have no names"):
        bound(presence, 5)
    with pytest.raises(InputError, match="no node has the name '0'; the nodes are called 'bob', '5'"):
        bound(presence, ("bob", "5"))
    many = trace([(f"n{number}", 0, 1) for number in range(20)])
    with pytest.raises(InputError, match="'n10', 'n11' and 8 more; the nodes are called 'a'"):
        bound(many, ("a",))


def test_a_trace_goes_by_name_where_nodes_have_names() -> None:
    """Names that are numbers are no rows: here node '1' stands in row 2."""
    table = [(1, 0, 2), ("3", 1, 3), (2.0, 0, 1)]
    frame = pandas.DataFrame({"end": [2, 3, 1], "node": [1, 3, 2], "start": [0, 1, 0]})
    for given_table in (table, np.array(table, object), frame, frame.astype(str)):
        joined, online = simulate(bound(trace(given_table), ("3", "2", "1", "0")), 4, 4)
        assert online.astype(int).T.tolist() == [[0, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
        assert joined.any(axis=0).tolist() == [True, True, True, False]


@pytest.mark.long
def test_a_member_of_a_trace_that_was_replaced_stays_replaced() -> None:
    def nobody(key: Any, tick: Any, num_nodes: int, memory: Any) -> Any:
        return memory, jnp.ones(num_nodes, bool), jnp.zeros(num_nodes, bool)

    network = ring(3)
    for presence, wakes in ((trace([(1, 0, 5)]), [0, 4, 0]), (trace([(1, 0, 5)])._replace(sample=nobody), [0, 0, 0])):
        emulator = small_emulator(availability=availability(presence=presence))
        state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 4)
        assert state.wakes.tolist() == wakes


def test_a_trace_that_no_network_was_given_to_is_never_read_as_rows() -> None:
    with pytest.raises(InputError, match="no network says in which rows they stand"):
        trace([(0, 0, 1)]).sample(None, jnp.int32(0), 1, ())


def test_a_trace_repeats_after_its_period_and_joins_once() -> None:
    joined, online = simulate(bound(trace([(0, 1, 2), (1, 0, 3)], period=3), 2), 2, 7)
    assert online.astype(int).T.tolist() == [[0, 1, 0, 0, 1, 0, 0], [1] * 7]
    assert joined.astype(int).T.tolist() == [[0, 1, 1, 1, 1, 1, 1], [1] * 7]
    with pytest.raises(InputError, match=r"period: expected at least 3, .* got 2"):
        trace([(0, 1, 2), (1, 0, 3)], period=2)


def test_a_trace_that_ends_before_the_run_is_told() -> None:
    remark = trace([(0, 0, 30)]).remark
    assert remark is not None
    assert remark(30) == ""
    assert remark(200).startswith("the trace ends at tick 30 of 200")
    assert trace([(0, 0, 30)], period=30).remark is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected the columns node, start, end in its first line, got \\[\\]"),
        ("node,start\n0,1\n", "got \\['node', 'start'\\]"),
        ("node,start,end,end\n0,1,2,2\n", "expected the columns node, start, end"),
        ("0,1,2\n", "expected the columns node, start, end"),
        ("node,start,end\n", "has no row; write lines with node,start,end"),
        ("node,start,end\n0,1,2\n0,1\n", "line 3: expected 3 entries, got 2"),
        ("node,start,end\n0,1,2.5\n", "line 2: end: expected a whole number .*, got '2.5'"),
        ("node,start,end\n ,1,2\n", "line 2: node: expected the name of a node, got nothing"),
        ("node,start,end\n0,-1,2\n", "line 2: start: expected .*, got -1"),
        ("node,start,end\n0,1,99999999999\n", "line 2: end: expected .*, got 99999999999"),
        ("node,start,end\n0,1,2\n0,3,3\n", "line 3: end: expected a tick after start = 3, got 3"),
        ("node,start,end\n0,4,3\n", "line 2: end: expected a tick after start = 4, got 3"),
    ],
)
def test_bad_traces_are_rejected(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as rejected:
        trace(write(tmp_path, text))
    assert_told("Traces of who is online, CSV", text, rejected.value)


def test_traces_that_cannot_be_read_are_rejected(tmp_path: Path) -> None:
    anything: Any = None
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x01")
    for path in (tmp_path / "missing.csv", tmp_path, tmp_path / "binary", anything):
        with pytest.raises(InputError, match="cannot be read as a CSV file"):
            trace(path)


def test_of_several_models_a_node_joins_when_it_is_first_there() -> None:
    setting = availability(presence=[late_joining(1.0, 6, 6), crash(0.3)])
    memory, seen = init_availability(setting, jax.random.key(0), 200), np.zeros(200, bool)
    for tick in range(12):
        memory, attendance = sample_attendance(setting, jax.random.key(tick + 1), jnp.int32(tick), 200, memory)
        assert attendance.joined is not None
        seen |= np.asarray(attendance.online)
        np.testing.assert_array_equal(attendance.joined, seen)
    assert 0 < seen.sum() < 60  # 0.7⁷ of 200 are 16


def test_who_is_absent_in_the_first_tick_has_joined_for_all_that() -> None:
    setting = availability(presence=churn(10, 10))
    memory = init_availability(setting, jax.random.key(0), 200)
    _, attendance = sample_attendance(setting, jax.random.key(1), jnp.int32(0), 200, memory)
    assert np.all(attendance.joined)
    assert not np.all(attendance.online)
