"""A node, as one object: what it is, what it holds, and how it takes in what arrives.

Axes: N nodes, L layers, F0 features of a node, F' units of a layer.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from jdgnn.emulation.debug.finite import Place, check_layers
from jdgnn.emulation.debug.message import Message
from jdgnn.emulation.spec import Spec
from jdgnn.network.topology import Topology
from jdgnn.protocol.accounts import KINDS
from jdgnn.protocol.events import Events


class Surroundings(NamedTuple):
    """What is outside a node in one tick."""

    emulator: Spec
    topology: Topology
    in_degree: list[int]  # of each node
    features: NDArray[np.floating]  # [N, F0], known to out-neighbours from a node's first tick on
    tick: int
    events: Events  # as NumPy arrays, keys aside


@dataclass(kw_only=True, eq=False)
class Node:
    """One node and all that it holds."""

    number: int
    features: jax.Array  # [F0]
    in_edges: dict[int, int]  # from the number of an edge to who sends over it
    out_edges: dict[int, int]  # from the number of an edge to who receives over it
    params: tuple[Any, ...]  # per layer {"layer": ..., "objective": ...}, and "moments" if they are merged
    opt_state: tuple[Any, ...]  # per layer
    embeddings: tuple[jax.Array, ...]  # per layer [F'], as last computed
    embedded_at: int  # the tick in which that was; -1 = never
    age: int
    wakes: int
    num_steps: list[int]  # of each layer
    schedule_memory: dict[str, Any]  # what the schedules of pushes and models remember, by kind
    accounts: Counter[tuple[str, str]]  # messages by kind and outcome
    incoming: list[Message] = field(default_factory=list)  # on their way to this node
    mailbox: dict[int, Message] = field(default_factory=dict)  # the newest that arrived over each in-edge
    samples: list[Message] = field(default_factory=list)  # pushes; a full buffer is a ring,
    next_slot: int = 0  # and this is where the next one goes
    inbox: list[Message] = field(default_factory=list)  # models that wait, oldest first
    kept: Message | None = None  # a refused model, which is passed on at the next sending
    num_idle: list[int] = field(default_factory=list)  # of each layer, wakes of this debug run without a step
    num_unplaced: int = 0  # models sent in this debug run for which there was no place
    num_excess: Counter[str] = field(default_factory=Counter)  # wanted beyond the fanout in this debug run, by kind

    def place(self, around: Surroundings, layer: int = 0) -> Place:
        """Where something is computed, for errors."""
        return Place(around.tick, self.number, layer)

    def receive(self, around: Surroundings) -> None:
        """Takes in what arrives in this tick."""
        due = sorted((one for one in self.incoming if one.tick_due == around.tick), key=lambda one: one.order)
        self.incoming = [one for one in self.incoming if one.tick_due != around.tick]
        online = around.events.online
        if online is not None and not online[self.number]:
            self.accounts.update((one.kind, "to_offline") for one in due)
            return
        embeddings, pushes, models = ([one for one in due if one.kind == kind] for kind in KINDS)
        for one in (*embeddings, *pushes, *models):
            check_layers(self.place(around), f"received {one.kind}", one.payload, about=": {}", message=one)
        self._receive_embeddings(embeddings)
        self._receive_pushes(around, pushes)
        self._receive_models(around, models)

    def _receive_embeddings(self, due: list[Message]) -> None:
        """The newest of each edge stays; `due` is in the order in which they were sent."""
        newest = {one.edge: one for one in due}
        for one in due:
            held = self.mailbox.get(one.edge)
            is_new = one is newest[one.edge] and (held is None or one.tick_sent > held.tick_sent)
            self.accounts["embedding", "delivered" if is_new else "superseded"] += 1
            if is_new:
                self.mailbox[one.edge] = one

    def _receive_pushes(self, around: Surroundings, due: list[Message]) -> None:
        """Each takes the room of the oldest sample, if there is no other."""
        if not due:
            return
        assert around.emulator.push is not None
        capacity = around.emulator.push.capacity
        for one in due:
            if len(self.samples) < capacity:
                self.samples.append(one)
            else:
                self.samples[self.next_slot] = one
            self.next_slot = (self.next_slot + 1) % capacity
        num_displaced = max(len(due) - capacity, 0)
        self.accounts["push", "displaced"] += num_displaced
        self.accounts["push", "delivered"] += len(due) - num_displaced

    def _receive_models(self, around: Surroundings, due: list[Message]) -> None:
        """They wait in the inbox, which loses its oldest when it is full."""
        for one in due:
            if len(self.inbox) == around.emulator.traffic.inbox_capacity:
                self.inbox.pop(0)
                self.accounts["model", "displaced"] += 1
            self.inbox.append(one)
