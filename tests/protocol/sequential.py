"""The order of arrival in plain sequential code, and messages to try it on."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

NUM_NODES, NUM_SLOTS = 5, 2

Table = tuple[np.ndarray, np.ndarray]  # receivers and ranks of all candidates, [N·S] each


def sequential_arrivals(dst: Sequence[int] | np.ndarray, *order: Sequence[int] | np.ndarray) -> list[list[int]]:
    """Numbers of the messages in order of arrival, for each receiver; of equal ones the lower number is first."""
    messages = sorted(zip(*order, range(len(dst)), dst, strict=True))
    return [[message[-2] for message in messages if message[-1] == node] for node in range(NUM_NODES)]


@st.composite
def message_tables(draw: st.DrawFn) -> Table:
    """Receivers, often the same ones or nobody, and few ranks, so that ties happen."""
    size = NUM_NODES * NUM_SLOTS
    dst = draw(st.lists(st.integers(0, NUM_NODES), min_size=size, max_size=size))
    rank = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    return np.array(dst, np.int32), np.array(rank, np.uint32)
