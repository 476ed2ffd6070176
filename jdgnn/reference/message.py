"""Messages, the post that carries them, and their accounts.

Axes: N nodes, L layers, F' units of a layer.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from jdgnn.protocol.accounts import KINDS, OUTCOMES

UNKNOWN = -1
"""Stands for a number that is not part of a state, such as the sender and the tick of a sample."""

AGE_BYTES = 4


@dataclass(eq=False, kw_only=True)
class Message:
    """An embedding, a push or a model, on its way or arrived; it ends in exactly one outcome."""

    kind: str  # "embedding", "push" or "model"
    src: int  # the sender; of a model that was passed on, the last one
    dst: int
    tick_sent: int
    tick_due: int  # the tick in which it arrives
    payload: tuple[Any, ...]  # per layer an embedding [F'], or the parameters of a model
    age: int = 0  # of a model
    weight: Any = None  # of a model [], where the merge rule divides one
    src_degree: int = 0  # in-degree of the sender
    rank: int = 0  # order of messages that arrive together,
    slot: int = 0  # before this; for an embedding, the number of its edge
    is_dropped: bool = False
    is_passed_on: bool = False  # a model that its sender had rejected
    outcome: str | None = None

    @property
    def order(self) -> tuple[int, int, int]:
        """The key by which messages that arrive together are sorted."""
        return self.tick_sent, self.rank, self.slot

    @property
    def edge(self) -> int:
        """Number of the edge of an embedding; UNKNOWN for pushes and models."""
        return self.slot if self.kind == "embedding" else UNKNOWN

    @property
    def num_bytes(self) -> int:
        """Size of the payload as it is stored."""
        held = jax.tree.leaves((self.payload, self.weight))
        return sum(leaf.nbytes for leaf in held) + AGE_BYTES * (self.kind == "model")

    def __str__(self) -> str:
        if self.src == UNKNOWN:
            return f"a {self.kind} from before this debug run"
        return f"the {self.kind} of node {self.src} sent in tick {self.tick_sent}"


class Post:
    """Carries messages, and counts the outcome of every one."""

    def __init__(self, accounts: Sequence[Counter[tuple[str, str]]]) -> None:
        """Takes the accounts of the nodes [N], by kind and outcome."""
        self.accounts = accounts
        self.in_flight: list[Message] = []
        self.bytes_sent: Counter[str] = Counter()
        self.num_unplaced = 0

    def send(self, message: Message, has_place: bool = True) -> None:
        """Sends a message, unless it is dropped or has no place to be kept in."""
        self.accounts[message.src][message.kind, "sent"] += 1
        self.bytes_sent[message.kind] += message.num_bytes
        if message.is_dropped:
            self.settle(message, "dropped", at=message.src)
        elif not has_place:
            self.num_unplaced += 1
            self.settle(message, "evicted", at=message.src)
        else:
            self.in_flight.append(message)

    def arrivals(self, tick: int) -> list[Message]:
        """Hands over the messages due in this tick, kind by kind in the order in which receivers take them."""
        due = [message for message in self.in_flight if message.tick_due == tick]
        self.in_flight = [message for message in self.in_flight if message.tick_due != tick]
        return sorted(due, key=lambda message: (KINDS.index(message.kind), message.order))

    def settle(self, message: Message, outcome: str, at: int | None = None) -> None:
        """Counts the outcome of a message, at its receiver if no other node is named."""
        if message.outcome is not None:
            raise AssertionError(f"{message} ends a second time, as {outcome}")
        message.outcome = outcome
        self.accounts[message.dst if at is None else at][message.kind, outcome] += 1

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Messages of all nodes by kind and outcome."""
        return sum(self.accounts, Counter())

    def num_open(self, kind: str) -> int:
        """Number of messages of one kind that were sent and have no outcome yet."""
        counts = self.counts
        return counts[kind, "sent"] - sum(counts[kind, outcome] for outcome in OUTCOMES[1:])

    def table(self) -> NDArray[np.int64]:
        """Counts [N, kinds, outcomes], in the order of `KINDS` and `OUTCOMES`."""
        return np.array(
            [[[counts[kind, outcome] for outcome in OUTCOMES] for kind in KINDS] for counts in self.accounts], np.int64
        )
