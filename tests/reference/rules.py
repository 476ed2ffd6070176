"""What every node does, the same for all; and when it sends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

ORDERS = ("merge_then_train", "train_then_merge", "merge_only")
ACCEPTANCES = (None, "degree")


def probability(part: int, whole: int) -> float:
    """The float32 that is nearest to a fraction: a uniform, which is a float32 too, is compared with it."""
    return float(np.float32(part) / np.float32(whole))


@dataclass(frozen=True)
class Every:
    """All candidates at every `wakes`-th wake, nobody at the others."""

    wakes: int = 1
    phase: int = 0

    def num_wanted(
        self, balance: int, wakes: int, num_merged: int, uniforms: Sequence[float], num_candidates: int
    ) -> int:
        return num_candidates if (wakes - self.phase) % self.wakes == 0 else 0

    def balance_after(self, balance: int, num_sent: int) -> int:
        return balance


@dataclass(frozen=True)
class TokenAccount:
    """One token comes in per wake, one is spent per message; what is rich sends unasked, what has merged answers."""

    capacity: int
    reserve: int

    def num_wanted(
        self, balance: int, wakes: int, num_merged: int, uniforms: Sequence[float], num_candidates: int
    ) -> int:
        above = max(0, balance - self.reserve + 1)
        wanted = int(uniforms[0] < probability(above, self.capacity - self.reserve + 1))
        for i in range(num_merged):
            whole, rest = divmod(balance, self.reserve)
            wanted += whole + int(uniforms[1 + i] < probability(rest, self.reserve))
        return min(wanted, balance + 1)

    def balance_after(self, balance: int, num_sent: int) -> int:
        return min(balance + 1 - num_sent, self.capacity)


Schedule = Every | TokenAccount


@dataclass(frozen=True)
class Rules:
    """What every node does. A capacity of 0 says that nothing of the kind is ever sent."""

    layers: tuple[str, ...]
    sample_capacity: int = 0
    inbox_capacity: int = 0
    order: str = "merge_then_train"
    on_receipt: bool = False
    merge: str = "average"
    merge_limit: int = 0  # of the rule "limited" only
    is_variance_corrected: bool = False
    acceptance: str | None = None
    pass_through: bool = False
    publish: Every = Every()
    push: Schedule = Every()
    model: Schedule = Every()
    pool: int | None = None  # places for models between sending and merging; None = as many as it takes
    max_delay: Mapping[str, int] = field(default_factory=dict)  # by kind of message; 0 where nothing is said

    def __post_init__(self) -> None:
        assert self.order in ORDERS, self.order
        assert self.acceptance in ACCEPTANCES, self.acceptance
