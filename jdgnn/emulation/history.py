"""The history of a run: metrics at its recorded ticks.

Axes: R records, L layers, Q quantiles.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from flax import struct
from numpy.typing import DTypeLike, NDArray

from jdgnn.emulation.metrics import Measurement
from jdgnn.emulation.start import message_bytes
from jdgnn.emulation.state import State
from jdgnn.protocol.accounts import KINDS, OUTCOMES, whole, whole_sum

METRICS = (
    *("online", "active", "loss", "stepped", "consensus_distance", "disagreement", "norm_ratio", "effective_rank"),
    "staleness",
)
"""Fields of a history that rows contain under the same names."""

BY_SCHEDULE = ("push", "model")
"""Kinds of messages of which a schedule can ask for more than the fanout."""

ATTENDANCE = ("joined", "online")
"""The columns of `History.attendance`."""


@struct.dataclass(kw_only=True)
class History:
    """The metrics of a run, one entry per record; counts are exact and start with the state."""

    tick: NDArray[np.int64]  # [R]
    online: NDArray[np.floating]  # [R], share of joined nodes
    active: NDArray[np.floating]  # [R], share of joined nodes
    loss: NDArray[np.floating]  # [R, L], mean over the nodes that stepped; NaN if none did
    stepped: NDArray[np.floating]  # [R, L], share of joined nodes that stepped
    aux: tuple[dict[str, NDArray[np.floating]], ...]  # per layer, further values of its objective, each [R] as `loss`
    consensus_distance: NDArray[np.floating]  # [R], mean over nodes of |θᵥ − θ̄|² / |θ̄|²
    disagreement: NDArray[np.floating]  # [R, L], the same of each layer by itself
    norm_ratio: NDArray[np.floating]  # [R], mean norm of the parameters over that at initialisation
    effective_rank: NDArray[np.floating]  # [R, L], of the embeddings; near 1 they have collapsed
    staleness: NDArray[np.floating]  # [R], age in ticks of the neighbour embeddings used; NaN if none were
    quantiles: dict[str, NDArray[np.floating]]  # [R, Q] over nodes, see `metrics.QUANTILES`; by name, see `Measurement`
    loss_quantiles: NDArray[np.floating]  # [R, L, Q], over the nodes that stepped
    messages: NDArray[np.int64]  # [R, kinds, outcomes], see jdgnn.protocol.accounts
    bytes_sent: NDArray[np.int64]  # [R, kinds]
    attendance: NDArray[np.int64] | None  # [R, 2], node-ticks joined and online; None where all always are
    num_idle: NDArray[np.int64]  # [R, L], wakes in which a layer made no step
    num_excess: NDArray[np.int64]  # [R, 2], pushes and models that a schedule asked for beyond the fanout
    num_unplaced: NDArray[np.int64]  # [R], models for which the `pool` had no place; they also count as evicted
    num_crowded: NDArray[np.int64]  # [R], ticks with more nodes awake than `active_fraction`
    seconds: float = struct.field(pytree_node=False, default=0.0)  # wall-clock time of the ticks
    compile_seconds: float = struct.field(pytree_node=False, default=0.0)  # wall-clock time before the first

    def __len__(self) -> int:
        return len(self.tick)

    def __repr__(self) -> str:
        if not len(self):
            return "History(empty)"
        loss = ", ".join(f"{value:.4f}" for value in self.loss[-1])
        return (
            f"History({len(self)} records to tick {self.tick[-1]}: loss [{loss}], "
            f"consensus distance {self.consensus_distance[-1]:.2e})"
        )

    @property
    def tick_diverged(self) -> int | None:
        """The first recorded tick with a loss or parameters that are not finite, or None."""
        has_joined = np.isfinite(self.online)  # otherwise there is no model to measure
        is_lost = ((self.stepped > 0) & ~np.isfinite(self.loss)).any(axis=1)
        is_lost |= has_joined & ~np.isfinite(self.norm_ratio)
        return int(self.tick[is_lost][0]) if is_lost.any() else None

    @property
    def messages_in_flight(self) -> NDArray[np.int64]:
        """Messages without an outcome yet [R, kinds]: in flight, or models waiting in an inbox."""
        sent = OUTCOMES.index("sent")
        return 2 * self.messages[..., sent] - self.messages.sum(axis=-1)

    def rows(self) -> list[dict[str, Any]]:
        """The records as dicts of Python numbers, ready for JSON; None stands for missing values."""
        return [self._row(i) for i in range(len(self))]

    def _row(self, i: int) -> dict[str, Any]:
        return {
            "tick": int(self.tick[i]),
            **{name: _or_none(getattr(self, name)[i]) for name in METRICS},
            "aux": [{name: _or_none(values[i]) for name, values in layer.items()} for layer in self.aux],
            "quantiles": {name: _or_none(values[i]) for name, values in self.quantiles.items()},
            "loss_quantiles": _or_none(self.loss_quantiles[i]),
            **{f"messages_{name}": _named(KINDS, self.messages[i, :, j]) for j, name in enumerate(OUTCOMES)},
            "messages_in_flight": _named(KINDS, self.messages_in_flight[i]),
            "bytes_sent": _named(KINDS, self.bytes_sent[i]),
            "attendance": None if self.attendance is None else _named(ATTENDANCE, self.attendance[i]),
            "num_idle": self.num_idle[i].tolist(),
            "num_excess": _named(BY_SCHEDULE, self.num_excess[i]),
            "num_unplaced": int(self.num_unplaced[i]),
            "num_crowded": int(self.num_crowded[i]),
        }


def history(measured: Measurement, is_recorded: NDArray[np.bool_], state: State) -> History:
    """Copies the records of one chunk from the accelerator; `is_recorded` marks the slots that hold one."""
    kept = jax.tree.map(lambda leaf: np.asarray(leaf)[is_recorded], measured)
    messages = whole_sum(kept.messages)
    counts = {
        "tick": kept.tick.astype(np.int64),
        "messages": messages,
        "bytes_sent": messages[..., OUTCOMES.index("sent")] * np.array(message_bytes(state), np.int64),
        "attendance": None if kept.attendance is None else whole(kept.attendance),
        "num_idle": whole(kept.num_idle),
        "num_excess": whole(kept.num_excess),
        "num_unplaced": whole(kept.num_unplaced),
        "num_crowded": kept.num_crowded.astype(np.int64),
    }
    others = {field.name: getattr(kept, field.name) for field in dataclasses.fields(Measurement)}
    return History(**others | counts)


def join(chunks: Sequence[History], *, seconds: float, compile_seconds: float) -> History:
    """Concatenates the histories of successive chunks."""
    joined = jax.tree.map(lambda *leaves: np.concatenate(leaves), *chunks)
    return replace(joined, seconds=seconds, compile_seconds=compile_seconds)


def from_rows(rows: Sequence[Mapping[str, Any]], dtype: DTypeLike) -> History:
    """Undoes `History.rows`, of at least one row; infinite values become NaN, and seconds are zero."""

    def numbers(values: list[Any]) -> NDArray[np.floating]:
        return np.array(values, np.float64).astype(dtype)  # None becomes NaN

    def counts(name: str, kinds: Sequence[str] = KINDS) -> NDArray[np.int64]:
        return np.array([[row[name][kind] for kind in kinds] for row in rows], np.int64)

    last = rows[-1]
    fields: dict[str, Any] = {name: numbers([row[name] for row in rows]) for name in METRICS}
    for name in ("tick", "num_idle", "num_unplaced", "num_crowded"):
        fields[name] = np.array([row[name] for row in rows], np.int64)
    return History(
        **fields,
        aux=tuple(
            {name: numbers([row["aux"][layer][name] for row in rows]) for name in names}
            for layer, names in enumerate(last["aux"])
        ),
        quantiles={name: numbers([row["quantiles"][name] for row in rows]) for name in last["quantiles"]},
        loss_quantiles=numbers([row["loss_quantiles"] for row in rows]),
        messages=np.stack([counts(f"messages_{outcome}") for outcome in OUTCOMES], axis=-1),
        bytes_sent=counts("bytes_sent"),
        attendance=None if last.get("attendance") is None else counts("attendance", ATTENDANCE),
        num_excess=counts("num_excess", BY_SCHEDULE),
    )


def _named(names: Sequence[str], counts: NDArray[np.int64]) -> dict[str, int]:
    return dict(zip(names, counts.tolist(), strict=True))


def _or_none(value: Any) -> Any:
    if np.ndim(value):
        return [_or_none(entry) for entry in value]
    return float(value) if np.isfinite(value) else None
