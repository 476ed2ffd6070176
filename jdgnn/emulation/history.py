"""The history of a run: what was measured at its recorded ticks.

Axes: R records, L layers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from flax import struct
from numpy.typing import NDArray

from jdgnn.emulation.metrics import Measurement
from jdgnn.emulation.state import State
from jdgnn.protocol.accounts import KINDS, OUTCOMES, whole


@struct.dataclass(kw_only=True)
class History:
    """What was measured, one entry per record; counts are exact and run from the start of the state."""

    tick: NDArray[np.int64]  # [R]
    loss: NDArray[np.floating]  # [R, L], mean over the nodes that stepped; NaN if none did
    stepped: NDArray[np.floating]  # [R, L], share of nodes that stepped
    aux: tuple[dict[str, NDArray[np.floating]], ...]  # per layer, what its objective tells, each [R] as `loss`
    consensus_distance: NDArray[np.floating]  # [R], mean over nodes of |θᵥ − θ̄|² / |θ̄|²
    norm_ratio: NDArray[np.floating]  # [R], mean norm of the parameters over that at initialisation
    messages: NDArray[np.int64]  # [R, kinds, outcomes], see jdgnn.protocol.accounts
    bytes_sent: NDArray[np.int64]  # [R, kinds]
    num_idle: NDArray[np.int64]  # [R, L], wakes in which a layer had nothing to learn from
    seconds: float = struct.field(pytree_node=False, default=0.0)  # wall time of the ticks
    compile_seconds: float = struct.field(pytree_node=False, default=0.0)  # wall time before the first

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
        """The first recorded tick with a loss or parameters that are no finite numbers, or None."""
        is_lost = ((self.stepped > 0) & ~np.isfinite(self.loss)).any(axis=1) | ~np.isfinite(self.norm_ratio)
        return int(self.tick[is_lost][0]) if is_lost.any() else None

    def rows(self) -> list[dict[str, Any]]:
        """The records as flat dicts of plain Python numbers, ready for JSON; what is missing is None."""
        return [
            {
                "tick": int(self.tick[i]),
                "loss": _or_none(self.loss[i]),
                "stepped": self.stepped[i].tolist(),
                "aux": [{name: _or_none(values[i]) for name, values in layer.items()} for layer in self.aux],
                "consensus_distance": _or_none(self.consensus_distance[i]),
                "norm_ratio": _or_none(self.norm_ratio[i]),
                **{
                    f"messages_{outcome}": dict(zip(KINDS, self.messages[i, :, column].tolist(), strict=True))
                    for column, outcome in enumerate(OUTCOMES)
                },
                "bytes_sent": dict(zip(KINDS, self.bytes_sent[i].tolist(), strict=True)),
                "num_idle": self.num_idle[i].tolist(),
            }
            for i in range(len(self))
        ]


def message_bytes(state: State) -> NDArray[np.int64]:
    """Payload of one message of each kind [kinds], at the dtype in which it is stored.

    An embedding or a push carries all layers; a model carries the parameters of all layers and the age.
    """
    num_nodes = state.num_nodes
    embedding = sum(layer.nbytes for layer in state.embeddings) // num_nodes
    model = (sum(leaf.nbytes for leaf in jax.tree.leaves(state.params)) + state.age.nbytes) // num_nodes
    return np.array([embedding, embedding, model], np.int64)


def history(measured: Measurement, is_recorded: Sequence[bool], state: State) -> History:
    """Takes the records of one compiled chunk off the accelerator.

    Args:
      measured: one measurement per slot.
      is_recorded: which slots hold a record.
      state: for the size of messages.

    Returns:
      The history of the chunk.
    """
    kept = jax.tree.map(lambda leaf: np.asarray(leaf)[np.asarray(is_recorded, bool)], measured)
    messages = whole(kept.messages)
    return History(
        tick=kept.tick.astype(np.int64),
        loss=kept.loss,
        stepped=kept.stepped,
        aux=kept.aux,
        consensus_distance=kept.consensus_distance,
        norm_ratio=kept.norm_ratio,
        messages=messages,
        bytes_sent=messages[..., OUTCOMES.index("sent")] * message_bytes(state),
        num_idle=whole(kept.num_idle),
    )


def join(chunks: Sequence[History], *, seconds: float, compile_seconds: float) -> History:
    """Puts the histories of successive chunks after one another."""
    joined = jax.tree.map(lambda *leaves: np.concatenate(leaves), *chunks)
    return replace(joined, seconds=seconds, compile_seconds=compile_seconds)


def _or_none(value: Any) -> Any:
    if np.ndim(value):
        return [_or_none(entry) for entry in value]
    return float(value) if np.isfinite(value) else None
