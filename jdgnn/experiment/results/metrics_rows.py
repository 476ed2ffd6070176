"""The rows of `metrics.jsonl`, read back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jdgnn.emulation.metrics import QUANTILES
from jdgnn.errors import InputError
from jdgnn.files import size_of
from jdgnn.protocol.accounts import KINDS, OUTCOMES

SPREAD = ("staleness", "age", "wakes")
"""Figures of nodes that the summary of a run tells."""

MOST_OF_A_LINE = 2**22
"""Bytes."""

FORMER_OUTCOMES = {"lost": "dropped", "displaced": "evicted", "refused": "rejected"}

Number = Annotated[float, Field(allow_inf_nan=False)] | None
Quantiles = Annotated[list[Number], Field(min_length=len(QUANTILES), max_length=len(QUANTILES))]


class _Row(BaseModel):
    """What `jdgnn.History.rows` gives of a recorded tick, as far as it is read again."""

    model_config = ConfigDict(strict=True, extra="allow")

    tick: Annotated[int, Field(ge=1, lt=2**31)]
    online: Number
    active: Number
    loss: list[Number]
    consensus_distance: Number
    norm_ratio: Number
    effective_rank: list[Number]
    quantiles: dict[str, Quantiles]
    bytes_sent: dict[str, int]
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
    """Rows in ascending order of ticks, before half of a line, or what is no such row.

    Args:
      path: a file that `jdgnn run` has written, or is writing.

    Raises:
      InputError: it cannot be read.
    """
    last = 0
    try:
        size_of(path)
        with path.open("rb") as file:
            while (row := _row(file.readline(MOST_OF_A_LINE))) is not None and row["tick"] > last:
                last = row["tick"]
                yield row
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); make it readable, or repeat the run") from error


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row: dict[str, Any] = with_present_outcomes(json.loads(line), "messages_")
        json.dumps(row, allow_nan=False)
        _Row.model_validate(row)
    except (ValueError, RecursionError, ValidationError):
        return None
    counts = [row.get(f"messages_{outcome}") for outcome in (*OUTCOMES, "in_flight")]
    are_counts = all(_are_counts(found) for found in [*counts, row["bytes_sent"]])
    return row if are_counts and row["quantiles"].keys() >= {*SPREAD} else None


def with_present_outcomes(table: Any, prefix: str = "") -> Any:
    """A table in which what became of messages has its present names, also in a run of an earlier version.

    >>> with_present_outcomes({"messages_lost": {"push": 2}, "tick": 5}, "messages_")
    {'messages_dropped': {'push': 2}, 'tick': 5}
    """
    now = {f"{prefix}{former}": f"{prefix}{name}" for former, name in FORMER_OUTCOMES.items()}
    return {now.get(key, key): value for key, value in table.items()} if isinstance(table, dict) else table


def _are_counts(found: Any) -> bool:
    """Whether there is a whole number for each kind of message."""
    return isinstance(found, dict) and found.keys() == {*KINDS} and all(type(count) is int for count in found.values())
