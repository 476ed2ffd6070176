"""What a tick's record of events says of one node, one edge, one candidate; and what it means where it is silent."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import jax


class Candidate(NamedTuple):
    """A message that may be sent, and what becomes of it if it is."""

    dst: int
    rank: int
    slot: int
    is_dropped: bool
    delay: int


class Draws:
    """Reads the package's record of everything random in one tick; a field that is None was not drawn."""

    def __init__(self, events: Any) -> None:
        """Takes the record, of NumPy arrays but for its key."""
        self.events = events

    def has_joined(self, node: int) -> bool:
        """Now or before."""
        return bool(self._entry("joined", node, True))

    def is_online(self, node: int) -> bool:
        """A node that has not joined counts as offline."""
        return self.has_joined(node) and bool(self._entry("online", node, True))

    def is_awake(self, node: int) -> bool:
        """Drawn to wake, which an offline node does not do for all that."""
        return bool(self._entry("wake", node, True))

    def coin(self, node: int, position: int) -> float:
        """Decides whether the model at a position of the inbox is accepted."""
        return float(self.events.accept_uniform[node, position])

    def uniforms(self, kind: str, node: int) -> Any:
        """Decide how many pushes or models are sent [1+M]; None where that is not random."""
        return self._entry(f"{kind}_uniform", node, None)

    def positives(self, node: int) -> list[int]:
        """Chosen in-edges, K of them; a number of no in-edge is none."""
        return self.events.positives[node].tolist()

    def key(self, purpose: int, node: int) -> Any:
        """A PRNG key for the objective of one layer, by its number, or for `CONTENT` or `ATTACK`."""
        return jax.random.split(jax.random.fold_in(self.events.key, purpose), len(self.events.positives))[node]

    def to_neighbours(self, out_edges: Iterable[tuple[int, int]]) -> list[Candidate]:
        """One embedding message for each pair of an edge that is up and its receiver."""
        edges_up = [(edge, dst) for edge, dst in out_edges if self._entry("link_up", edge, True)]
        return [Candidate(dst, 0, edge, *self._fate("embedding", edge)) for edge, dst in edges_up]

    def candidates(self, kind: str, node: int) -> list[Candidate | None]:
        """The pushes or models that a node may send; None stands for nobody."""
        all_dst = getattr(self.events, f"{kind}_dst")
        num_nodes, num_slots = all_dst.shape
        candidates: list[Candidate | None] = []
        for s in range(num_slots):
            dst, rank = int(all_dst[node, s]), int(getattr(self.events, f"{kind}_rank")[node, s])
            candidate = Candidate(dst, rank, node * num_slots + s, *self._fate(kind, (node, s)))
            candidates.append(candidate if dst < num_nodes else None)
        return candidates

    def _fate(self, kind: str, index: Any) -> tuple[bool, int]:
        return bool(self._entry(f"{kind}_dropped", index, False)), int(self._entry(f"{kind}_delay", index, 0))

    def _entry(self, field: str, index: Any, default: Any) -> Any:
        values = getattr(self.events, field)
        return default if values is None else values[index]
