"""What nodes send each other, where it is on the way, and what becomes of it."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

KINDS = ("embedding", "push", "model")
OUTCOMES = ("sent", "delivered", "lost", "to_offline", "superseded", "displaced", "refused")


@dataclass(eq=False, kw_only=True)
class Message:
    """One message, with its own copy of what it carries; it ends in exactly one outcome."""

    kind: str
    src: int
    dst: int
    tick_sent: int
    delay: int
    is_lost: bool
    rank: int
    slot: int
    src_degree: int  # in-degree of the sender of this hop
    payload: Any
    is_passed_on: bool = False  # a model that its sender refused
    outcome: str | None = None

    def __post_init__(self) -> None:
        self.payload = jax.tree.map(np.array, self.payload)

    @property
    def tick_due(self) -> int:
        """The tick in which it arrives."""
        return self.tick_sent + 1 + self.delay

    @property
    def order(self) -> tuple[int, int, int]:
        """The order in which messages that reach one node in one tick are taken."""
        return self.tick_sent, self.rank, self.slot

    @property
    def num_bytes(self) -> int:
        """Size of the payload as it is stored."""
        return sum(leaf.nbytes for leaf in jax.tree.leaves(self.payload))


class Post:
    """Carries messages, and keeps account of every one."""

    def __init__(self, num_nodes: int) -> None:
        self.in_flight: list[Message] = []
        self.counts: Counter[tuple[str, str]] = Counter()  # by kind and outcome
        self.counts_at: list[Counter[tuple[str, str]]] = [Counter() for _ in range(num_nodes)]  # the same of each node
        self.bytes_sent: Counter[str] = Counter()
        self.num_unplaced = 0

    def send(self, message: Message, has_place: bool = True) -> None:
        """Puts a message on its way, where it stays unless it is lost, or has no place to be kept in."""
        self._book(message, "sent", message.src)
        self.bytes_sent[message.kind] += message.num_bytes
        if message.is_lost:
            self.settle(message, "lost", at=message.src)
        elif not has_place:
            self.num_unplaced += 1
            self.settle(message, "displaced", at=message.src)
        else:
            self.in_flight.append(message)

    def arrivals(self, tick: int) -> list[Message]:
        """Hands over what is due in this tick, in the order in which receivers take it."""
        due = sorted((m for m in self.in_flight if m.tick_due == tick), key=lambda m: m.order)
        self.in_flight = [m for m in self.in_flight if m.tick_due != tick]
        return due

    def settle(self, message: Message, outcome: str, at: int | None = None) -> None:
        """Writes down what became of a message, in the account of its receiver if no other node is named."""
        if message.outcome is not None:
            raise AssertionError(f"{message} ends a second time, as {outcome}")
        message.outcome = outcome
        self._book(message, outcome, message.dst if at is None else at)

    def _book(self, message: Message, outcome: str, node: int) -> None:
        self.counts[message.kind, outcome] += 1
        self.counts_at[node][message.kind, outcome] += 1

    def num_open(self, kind: str) -> int:
        """Number of messages of one kind that were sent and have not ended."""
        return self.counts[kind, "sent"] - sum(self.counts[kind, outcome] for outcome in OUTCOMES[1:])

    def table(self) -> NDArray[np.int64]:
        """Counts [N, kinds, outcomes], in the order of `KINDS` and `OUTCOMES`."""
        return np.array(
            [[[counts[kind, outcome] for outcome in OUTCOMES] for kind in KINDS] for counts in self.counts_at]
        )
