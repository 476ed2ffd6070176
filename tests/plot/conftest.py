"""What all tests of pictures share: no window, and a figure that is closed."""

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import pytest


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    from matplotlib import pyplot

    with mpl.rc_context({"figure.figsize": (3, 2.2)}):
        mpl.use("agg")
        yield
        pyplot.close("all")


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """Two layers at three ticks, as `History.rows` gives them; the first layer did not step at first."""
    kinds = ("embedding", "push", "model")
    outcomes = ("sent", "delivered", "dropped", "to_offline", "superseded", "evicted", "rejected")
    counts = {"sent": 10, "delivered": 6, "dropped": 4}
    return [
        {
            "tick": tick,
            "loss": [None if tick == 5 else 1.0 / tick, 2.0],
            "consensus_distance": 0.1 * tick,
            "active": 0.5,
            "aux": [{}, {}],
            "quantiles": {"staleness": [1.0, 1.0, 1.5, 2.0, 3.0, 4.0, float(tick)]},
            "bytes_sent": {kind: 100 * tick * (kind != "model") for kind in kinds},
            **{
                f"messages_{outcome}": {kind: tick * counts.get(outcome, 0) * (kind != "model") for kind in kinds}
                for outcome in outcomes
            },
        }
        for tick in (5, 10, 20)
    ]
