"""The events of a tick as seen by one node, edge or candidate, with defaults for fields that were not drawn."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import jax


class Candidate(NamedTuple):
    """A message that may be sent, and its drop and delay."""

    dst: int
    rank: int
    slot: int
    is_dropped: bool
    delay: int


class Draws:
    """Reads the events of one tick; a field that is None was not drawn."""

    def __init__(self, events: Any) -> None:
        """Takes the events as NumPy arrays, except for the key."""
        self.events = events

    def has_joined(self, node: int) -> bool:
        """Whether a node has joined, now or before."""
        return bool(self._entry("joined", node, True))

    def is_online(self, node: int) -> bool:
        """Whether a node is online; a node that has not joined is offline."""
        return self.has_joined(node) and bool(self._entry("online", node, True))

    def is_awake(self, node: int) -> bool:
        """Whether a node was drawn to wake, which it only does if it is online."""
        return bool(self._entry("wake", node, True))

    def coin(self, node: int, position: int) -> float:
        """The draw that decides whether the model at a position of the inbox is accepted."""
        return float(self.events.accept_uniform[node, position])

    def uniforms(self, kind: str, node: int) -> Any:
        """The draws [1+M] of a schedule of pushes or models; None if it does not draw."""
        return self._entry(f"{kind}_uniform", node, None)

    def positives(self, node: int) -> list[int]:
        """The K chosen in-edges; a number that is not an in-edge stands for none."""
        return self.events.positives[node].tolist()

    def key(self, purpose: int, node: int) -> Any:
        """A PRNG key for the objective of a layer (by its number), for `CONTENT` or for `ATTACK`."""
        return jax.random.split(jax.random.fold_in(self.events.key, purpose), len(self.events.positives))[node]

    def to_neighbours(self, out_edges: Iterable[tuple[int, int]]) -> list[Candidate]:
        """One embedding message for each pair of an edge that is up and its receiver."""
        edges_up = [(edge, dst) for edge, dst in out_edges if self._entry("link_up", edge, True)]
        return [Candidate(dst, 0, edge, *self._drop_and_delay("embedding", edge)) for edge, dst in edges_up]

    def candidates(self, kind: str, node: int) -> list[Candidate | None]:
        """The pushes or models that a node may send; None stands for no recipient."""
        all_dst = getattr(self.events, f"{kind}_dst")
        num_nodes, num_slots = all_dst.shape
        candidates: list[Candidate | None] = []
        for s in range(num_slots):
            dst, rank = int(all_dst[node, s]), int(getattr(self.events, f"{kind}_rank")[node, s])
            candidate = Candidate(dst, rank, node * num_slots + s, *self._drop_and_delay(kind, (node, s)))
            candidates.append(candidate if dst < num_nodes else None)
        return candidates

    def _drop_and_delay(self, kind: str, index: Any) -> tuple[bool, int]:
        return bool(self._entry(f"{kind}_dropped", index, False)), int(self._entry(f"{kind}_delay", index, 0))

    def _entry(self, field: str, index: Any, default: Any) -> Any:
        values = getattr(self.events, field)
        return default if values is None else values[index]
