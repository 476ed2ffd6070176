"""What nodes send each other, where it is on the way, and what becomes of it."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

KINDS = ("embedding", "push", "model")


@dataclass(eq=False)
class Message:
    """One message, with its own copy of what it carries; it ends in exactly one outcome."""

    kind: str
    src: int
    dst: int
    tick_sent: int
    tick_due: int
    rank: int
    slot: int
    payload: Any
    outcome: str | None = None

    def __post_init__(self) -> None:
        self.payload = jax.tree.map(np.array, self.payload)

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

    def __init__(self) -> None:
        self.in_flight: list[Message] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self.bytes_sent: Counter[str] = Counter()

    def send(self, message: Message) -> None:
        """Puts a message on its way."""
        self.in_flight.append(message)
        self.counts[message.kind, "sent"] += 1
        self.bytes_sent[message.kind] += message.num_bytes

    def arrivals(self, tick: int) -> list[Message]:
        """Hands over what is due in this tick, in the order in which receivers take it."""
        due = sorted((m for m in self.in_flight if m.tick_due == tick), key=lambda m: m.order)
        self.in_flight = [m for m in self.in_flight if m.tick_due != tick]
        return due

    def settle(self, message: Message, outcome: str) -> None:
        """Writes down what became of a message."""
        if message.outcome is not None:
            raise AssertionError(f"{message} ends a second time, as {outcome}")
        message.outcome = outcome
        self.counts[message.kind, outcome] += 1

    def num_open(self, kind: str) -> int:
        """Number of messages of one kind that were sent and have not ended."""
        ended = sum(count for (k, outcome), count in self.counts.items() if k == kind and outcome != "sent")
        return self.counts[kind, "sent"] - ended
