"""What nodes send each other, where it is on the way, and what becomes of it.

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
"""A number that the state a debug run starts from does not tell: of samples neither the sender nor the tick."""

AGE_BYTES = 4


@dataclass(eq=False, kw_only=True)
class Message:
    """An embedding, a push or a model, on its way or arrived; it ends in exactly one outcome."""

    kind: str  # "embedding", "push" or "model"
    src: int  # who sent it; of a model that was passed on, who sent it last
    dst: int
    tick_sent: int
    tick_due: int  # the tick in which it arrives
    payload: tuple[Any, ...]  # per layer an embedding [F'], or the parameters of a model
    age: int = 0  # of a model
    weight: Any = None  # of a model [], where the merge rule divides one
    src_degree: int = 0  # in-degree of the sender
    rank: int = 0  # messages that arrive together are taken in this order,
    slot: int = 0  # and then in this one; of an embedding, the number of the edge that it comes over
    is_dropped: bool = False
    is_passed_on: bool = False  # a model that its sender had rejected
    outcome: str | None = None

    @property
    def order(self) -> tuple[int, int, int]:
        """Of messages that arrive together, the smaller one comes first."""
        return self.tick_sent, self.rank, self.slot

    @property
    def edge(self) -> int:
        """Number of the edge that an embedding comes over; UNKNOWN for pushes and models."""
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
    """Carries messages, and keeps account of every one."""

    def __init__(self, accounts: Sequence[Counter[tuple[str, str]]]) -> None:
        """Opens before anything was sent; `accounts` are those of the nodes [N], by kind and outcome."""
        self.accounts = accounts
        self.in_flight: list[Message] = []
        self.bytes_sent: Counter[str] = Counter()
        self.num_unplaced = 0

    def send(self, message: Message, has_place: bool = True) -> None:
        """Puts a message on its way, where it stays unless it is dropped, or has no place to be kept in."""
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
        """Hands over what is due in this tick, kind by kind in the order in which receivers take it."""
        due = [message for message in self.in_flight if message.tick_due == tick]
        self.in_flight = [message for message in self.in_flight if message.tick_due != tick]
        return sorted(due, key=lambda message: (KINDS.index(message.kind), message.order))

    def settle(self, message: Message, outcome: str, at: int | None = None) -> None:
        """Writes down what became of a message, in the account of its receiver if no other node is named."""
        if message.outcome is not None:
            raise AssertionError(f"{message} ends a second time, as {outcome}")
        message.outcome = outcome
        self.accounts[message.dst if at is None else at][message.kind, outcome] += 1

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Messages of all nodes by kind and outcome."""
        return sum(self.accounts, Counter())

    def num_open(self, kind: str) -> int:
        """Number of messages of one kind that were sent and have not ended."""
        counts = self.counts
        return counts[kind, "sent"] - sum(counts[kind, outcome] for outcome in OUTCOMES[1:])

    def table(self) -> NDArray[np.int64]:
        """Counts [N, kinds, outcomes], in the order of `KINDS` and `OUTCOMES`."""
        return np.array(
            [[[counts[kind, outcome] for outcome in OUTCOMES] for kind in KINDS] for counts in self.accounts], np.int64
        )
