"""A message, as one object.

Axes: L layers, F' units of a layer.
"""

from dataclasses import dataclass
from typing import Any

UNKNOWN = -1
"""A number that the state a debug run starts from does not tell: of samples neither the sender nor the tick."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Message:
    """An embedding, a push or a model, on its way or arrived."""

    kind: str  # "embedding", "push" or "model"
    src: int  # who sent it; of a model that was passed on, who sent it last
    dst: int
    tick_sent: int
    tick_due: int  # the tick in which it arrives
    payload: tuple[Any, ...]  # per layer an embedding [F'], or the parameters of a model
    age: int = 0  # of a model
    edge: int = UNKNOWN  # number of the edge that an embedding comes over
    rank: int = 0  # of pushes and models that arrive together: in this order,
    slot: int = 0  # and then in this one
    is_passed_on: bool = False  # a model that its sender had refused

    @property
    def order(self) -> tuple[int, int, int]:
        """Of messages that arrive together, the smaller one comes first."""
        return self.tick_sent, self.rank, self.slot

    def __str__(self) -> str:
        if self.src == UNKNOWN:
            return f"a {self.kind} from before this debug run"
        return f"the {self.kind} of node {self.src} sent in tick {self.tick_sent}"
