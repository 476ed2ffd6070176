"""An order in which each model is read before it is overwritten, whatever is merged by whom."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdgnn.backend import calls
from jdgnn.backend.calls import Plan
from tests.backend.twin import FAR, SOURCES, planned, rotation

pytestmark = pytest.mark.usefixtures("compiled")
SAVE_OWN, READ_SAVED, READ_KEPT = 1, 2, 3
LARGE = 5000
OFTEN_CUT = ("nobody", "oneself", "rotation by 1", "rotation by -1", "permutation", "matching")


def check(plan: Plan, source: np.ndarray, active: np.ndarray) -> int:
    """Goes through the pieces as if all began at once, and looks at what each node reads; gives how many there are."""
    order, kind, kept, bounds = map(np.asarray, plan)
    num_nodes, count = source.size, bounds[-1]
    assert bounds[0] == 0
    assert (np.diff(bounds) >= 0).all()
    assert sorted(order[:count]) == np.flatnonzero(active).tolist()
    assert (order[count:] == num_nodes).all()
    num_kept = int((kept < num_nodes).sum())
    assert (kept[num_kept:] == num_nodes).all()
    piece = np.searchsorted(bounds, np.arange(count), side="right") - 1
    place = np.full(num_nodes, -1)
    place[order[:count]] = np.arange(count)
    saved: dict[int, int] = {}
    for at, v in enumerate(order[:count]):
        if kind[at] == SAVE_OWN:
            saved[piece[at]] = v
        u = source[v]
        if not 0 <= u < num_nodes or u == v:
            continue
        if kind[at] >= READ_KEPT:
            assert kept[:num_kept][kind[at] - READ_KEPT] == u
        elif kind[at] == READ_SAVED:
            assert saved[piece[at]] == u
        else:
            is_unharmed = place[u] == -1 or (place[u] > at and piece[place[u]] == piece[at])
            assert is_unharmed, f"{v} reads {u}, which may have been overwritten"
    return len(set(piece.tolist()))


def sizes_and_cores(sizes: tuple[int, ...], cores: tuple[int, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("num_nodes", "cores"), [(n, c) for n in sizes for c in cores])


@sizes_and_cores((1, 2, 3, 64, 300), (1, 2))
@given(data=st.data())
def test_every_model_is_read_before_it_is_overwritten(num_nodes: int, cores: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    source = SOURCES[data.draw(st.sampled_from(list(SOURCES)))](rng, num_nodes).astype(np.int32)
    active = rng.random(num_nodes) < data.draw(st.sampled_from([0.0, 0.5, 0.9, 1.0]))
    check(planned(source, active, cores), source, active)


@given(st.lists(st.tuples(st.sampled_from([-1, 0, 1, 2, 3, 4, 5, FAR]), st.booleans()), min_size=6, max_size=6))
def test_small_networks_of_any_form(nodes: list[tuple[int, bool]]) -> None:
    source, active = np.array([u for u, _ in nodes], np.int32), np.array([is_active for _, is_active in nodes])
    check(planned(source, active), source, active)


@pytest.mark.parametrize("step", [1, 2, 15, 16, 17, 24, 32, 48, 63, 95])
def test_rotations_of_any_step(step: int) -> None:
    source = rotation(96, step).astype(np.int32)
    for active in (np.ones(96, bool), np.arange(96) != 7):
        check(planned(source, active), source, active)


@sizes_and_cores((LARGE,), (1, 2, 16))
@pytest.mark.parametrize("kind", SOURCES)
def test_large_networks_are_cut_into_pieces(kind: str, num_nodes: int, cores: int) -> None:
    rng = np.random.default_rng(0)
    source = SOURCES[kind](rng, num_nodes).astype(np.int32)
    for share in (0.0, 0.7, 1.0):
        active = rng.random(num_nodes) < share
        pieces = check(planned(source, active, cores), source, active)
        is_large = active.sum() >= 64 * calls.PIECES_PER_CORE * cores
        assert pieces in (min(1, active.sum()), calls.PIECES_PER_CORE * cores if is_large else 1)
        if share == 1.0 and kind in OFTEN_CUT:
            assert pieces == calls.PIECES_PER_CORE * cores


def test_where_too_many_rows_would_have_to_be_kept_nothing_is_cut() -> None:
    rng, everybody = np.random.default_rng(0), np.ones(LARGE, bool)
    source = SOURCES["random"](rng, LARGE).astype(np.int32)
    plan = planned(source, everybody, 2)
    assert check(plan, source, everybody) == 1
    assert (np.asarray(plan.kept) == LARGE).all()


def test_without_active_nodes_the_order_is_empty() -> None:
    source = rotation(300, 1).astype(np.int32)
    plan = planned(source, np.zeros(300, bool), 1)
    assert not np.asarray(plan.bounds).any()
    assert (np.asarray(plan.order) == 300).all()
