"""Sources of the events of a run: drawing, or reading a record.

Axes: T ticks that a chunk has room for.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import jax.numpy as jnp
import numpy as np

from jdgnn.backend.way import way
from jdgnn.emulation import chunks
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.start import event_shapes, message_bytes, tree_bytes
from jdgnn.emulation.state import State
from jdgnn.network.topology import Topology
from jdgnn.protocol.events import Events
from jdgnn.protocol.recording import LONGEST, Recorder
from jdgnn.protocol.replaying import Record

MOST_BYTES = 2**26


class Source(Protocol):
    """Gives the events of one chunk after another."""

    length: int  # T

    def next(self, state: State, count: int) -> tuple[State, Events]:
        """Events of the next `count` ticks [T, ...], and the state with its clocks advanced."""


class Draw:
    """Draws events from the state's key and its clocks."""

    def __init__(self, emulator: Spec, links: Topology, state: State) -> None:
        self._emulator, self._links, self._num_bytes = emulator, links, message_bytes(state)
        self.length = room(event_shapes(emulator, links, state), links.backend.unrolled)

    def next(self, state: State, count: int) -> tuple[State, Events]:
        """See `Source`."""
        memory, events = chunks.draw(
            self._emulator,
            self._links,
            state.key,
            state.tick,
            state.availability,
            jnp.int32(count),
            num_bytes=self._num_bytes,
            length=self.length,
        )
        return replace(state, availability=memory), events


class Replay:
    """Reads events from a record; the state's clocks advance as if they were drawn."""

    def __init__(self, path: str | Path, emulator: Spec, links: Topology, state: State, ticks: int) -> None:
        self._record, self._shapes = Record(path), event_shapes(emulator, links, state)
        self._emulator, self._links, self._num_bytes = emulator, links, message_bytes(state)
        traffic = emulator.traffic
        settings = {"embedding": traffic.publish, "push": traffic.push, "model": traffic.gossip}
        max_delays = {f"{kind}_delay": setting.link.max_delay for kind, setting in settings.items() if setting}
        identity = np.asarray(state.network)
        self._record.check(links, identity, self._shapes, max_delays, int(state.tick), ticks)
        self.length = room(self._shapes, links.backend.unrolled)

    def other_way(self) -> str | None:
        """A clause about the way of the recorded run, if the machine, not the emulator, makes this one differ."""
        return None if self._emulator.backend is not None else self._record.other_way(way(None))

    def next(self, state: State, count: int) -> tuple[State, Events]:
        """See `Source`."""
        events = self._record.read(int(state.tick), count, self.length, self._shapes)
        memory = chunks.remember(
            self._emulator,
            self._links,
            state.key,
            state.tick,
            state.availability,
            jnp.int32(count),
            num_bytes=self._num_bytes,
        )
        return replace(state, availability=memory), events


class Recording:
    """Passes on the events of another source and records them."""

    def __init__(self, source: Source, recorder: Recorder) -> None:
        self._source, self._recorder = source, recorder
        self.length = source.length

    def next(self, state: State, count: int) -> tuple[State, Events]:
        """See `Source`."""
        state, events = self._source.next(state, count)
        self._recorder.add(events, count)
        return state, events


def room(shapes: Any, unrolled: int = 1) -> int:
    """For how many ticks of events of such shapes a chunk has room: a multiple of `unrolled`."""
    length = min(LONGEST, MOST_BYTES // max(1, tree_bytes(shapes)))
    return max(1, length // unrolled) * unrolled
