"""Reads the rows of `metrics.jsonl`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from jdgnn.emulation.metrics import QUANTILES
from jdgnn.experiment.results.reading import DAMAGE, reading
from jdgnn.files import size_of

SPREAD = ("staleness", "age", "wakes")
"""Statistics of nodes in the summary of a run."""

MOST_OF_A_LINE = 2**22
"""Bytes."""

FORMER_OUTCOMES = {"lost": "dropped", "displaced": "evicted", "refused": "rejected"}

Number = Annotated[float, Field(allow_inf_nan=False)] | None
Quantiles = Annotated[list[Number], Field(min_length=len(QUANTILES), max_length=len(QUANTILES))]


class _Counts(BaseModel):
    """A number for each kind of message."""

    model_config = ConfigDict(strict=True)

    embedding: int
    push: int
    model: int


class _Row(BaseModel):
    """A recorded tick, as `jdgnn.History.rows` gives it, as far as it is read again."""

    model_config = ConfigDict(strict=True, extra="allow")

    tick: Annotated[int, Field(ge=1, lt=2**31)]
    online: Number
    active: Number
    loss: list[Number]
    consensus_distance: Number
    norm_ratio: Number
    effective_rank: list[Number]
    quantiles: dict[str, Quantiles]
    bytes_sent: _Counts
    messages_sent: _Counts
    messages_delivered: _Counts
    messages_dropped: _Counts
    messages_to_offline: _Counts
    messages_superseded: _Counts
    messages_evicted: _Counts
    messages_rejected: _Counts
    messages_in_flight: _Counts
    attendance: dict[Literal["joined", "online"], int] | None = None
    num_idle: list[int]
    num_excess: dict[str, int]
    num_unplaced: int
    num_crowded: int
    stepped: list[Number] = []
    disagreement: list[Number] = []
    staleness: Number = None
    loss_quantiles: list[Quantiles] = []


def sound_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a file in ascending order of ticks, up to the first line that is not complete or not valid.

    A run that was killed, or that still runs, may leave half of a line.
    """
    last = 0
    if not path.exists():
        return
    with reading(path, "make it readable, or repeat the run"):
        size_of(path)
        with path.open("rb") as file:
            while (row := _row(file.readline(MOST_OF_A_LINE))) is not None and row["tick"] > last:
                last = row["tick"]
                yield row


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row: dict[str, Any] = with_present_outcomes(json.loads(line), "messages_")
        json.dumps(row, allow_nan=False)
        _Row.model_validate(row)
    except DAMAGE:
        return None
    return row if row["quantiles"].keys() >= {*SPREAD} else None


def with_present_outcomes(table: Any, prefix: str = "") -> Any:
    """Gives outcomes of messages their present names, as an earlier version had others."""
    now = {f"{prefix}{former}": f"{prefix}{name}" for former, name in FORMER_OUTCOMES.items()}
    return {now.get(key, key): value for key, value in table.items()} if isinstance(table, dict) else table
