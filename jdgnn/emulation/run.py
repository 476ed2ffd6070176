"""Runs: ticks in compiled chunks, with the same bits however they are cut."""

import time
import warnings
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jdgnn.backend.way import tell_once, way
from jdgnn.checks import check_count
from jdgnn.emulation import chunks
from jdgnn.emulation.arrays import arrays_of
from jdgnn.emulation.history import History, history, join
from jdgnn.emulation.sources import Draw, Recording, Replay, Source
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State, check_alive
from jdgnn.errors import InputError
from jdgnn.network.topology import Topology
from jdgnn.protocol.recording import Recorder

TELLING_SECONDS = 0.5  # between calls of on_progress
SILENT_SECONDS = 2.0  # of a chunk without on_progress; interrupts are handled after it


class RemarkWarning(UserWarning):
    """A part has something to tell before a run, for example that a trace ends earlier."""


@struct.dataclass(kw_only=True)
class Progress:
    """The progress of a run after a chunk."""

    tick: int  # ticks done by the state
    start_tick: int  # before the run
    end_tick: int  # after the run
    rows: list[dict[str, Any]]  # the records of this chunk, as in `History.rows`
    ticks_per_second: float  # of this run so far, compilation and on_progress not counted
    state: State  # all nodes; the next ticks consume it
    tick_diverged: int | None = None  # the first recorded tick with numbers that are not finite


def run(
    emulator: Spec,
    state: State,
    network: Any,
    ticks: int,
    *,
    record_every: int = 10,
    on_progress: Callable[[Progress], None] | None = None,
    progress_every: int | None = None,
    progress_at: Collection[int] = (),
    record: str | Path | None = None,
    replay: str | Path | None = None,
    accept_other_way: bool = False,
) -> tuple[State, History]:
    """Runs a number of ticks.

    The state is consumed (its memory is reused for the result): keep the one that is returned. The same state gives the
    same bits, however a run is cut and whatever is recorded, on the same kind of processor and with compiled kernels
    or without. Another number of ticks compiles nothing.

    Args:
      emulator: the parts.
      state: all nodes, from `emulator.init` or an earlier run.
      network: the network the state was made for.
      ticks: how many ticks to run.
      record_every: ticks whose number is a multiple of this are measured, and the last one.
      on_progress: called about twice a second with a `Progress`, whose state `jdgnn.save` can write to disk. If it
        raises, the run ends there and its state is lost.
      progress_every: `on_progress` is also called after each tick whose number is a multiple of this,
      progress_at: and after ticks with these numbers.
      record: a file for all random events, for `replay` or other tools; `jdgnn.protocol.recording` describes its
        format. Recording changes no bit of the run.
      replay: a file of random events to use instead of drawing them: the same algorithm gives the same bits, and
        another one faces the same drops, delays and outages. The state's own clocks continue unused, so drawing after
        a replay gives the same bits as drawing from the start.
      accept_other_way: whether to replay a record of a run with compiled kernels where there are none, or the other way
        round, which gives other bits. It is not needed if the emulator has a `backend`.

    Returns:
      The state after the last tick, and the history.

    Raises:
      InputError: the state was consumed before or does not fit the network, a number is invalid, the file to record to
        exists, or the file to replay does not fit or was recorded in another way.

    Warns:
      UserWarning: once in a process, if compiled kernels are missing on a CPU and the emulator allows them.

    Example:
      >>> import jax, jdgnn
      >>> network = jdgnn.network.generators.ring(6)
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(),
      ...     optimizer=jdgnn.adam(1e-2), push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> state = emulator.init(jax.random.key(0), network)
      >>> state, history = jdgnn.run(emulator, state, network, ticks=20)
      >>> history.tick.tolist()
      [10, 20]
    """
    check_count("ticks", ticks)
    check_count("record_every", record_every)
    if on_progress is not None and not callable(on_progress):
        raise InputError(f"on_progress: expected a function of a jdgnn.Progress, or None, got {on_progress!r}")
    if progress_every is not None:
        check_count("progress_every", progress_every)
    for tick in progress_at:
        check_count("progress_at", tick)
    for name, asked in (("progress_every", progress_every), ("progress_at", progress_at or None)):
        if asked is not None and on_progress is None:
            raise InputError(f"{name}: got {asked} without on_progress, which it needs; give both")
    if record is not None and replay is not None:
        raise InputError(f"record: got {record} together with replay, whose events are recorded already; leave one out")
    emulator, links, features = arrays_of(emulator, state, network)
    tell_once(emulator.backend)
    source: Source = Draw(emulator, links, state)
    if replay is not None:
        source = Replay(replay, emulator, links, state, ticks)
        if not accept_other_way and (reason := source.other_way()) is not None:
            raise InputError(f"replay: {reason}, to other bits; give the emulator a backend, or accept_other_way=True")
    start = int(state.tick)
    for remark in remarks(emulator, start + ticks) if replay is None else []:
        warnings.warn(remark, RemarkWarning, stacklevel=2)
    gathered = _Gathered(start, start + ticks, on_progress, progress_every, progress_at)
    if record is None:
        return _run(emulator, links, features, state, record_every, gathered, source)
    names, computed = np.asarray(state.network)[-1], way(emulator.backend, emulator.cores)
    with Recorder(record, links, state.key, start, source.length, computed, names) as recorder:
        return _run(emulator, links, features, state, record_every, gathered, Recording(source, recorder))


def _run(
    emulator: Spec,
    links: Topology,
    features: jax.Array,
    state: State,
    record_every: int,
    gathered: "_Gathered",
    source: Source,
) -> tuple[State, History]:
    started, unrolled = time.perf_counter(), links.backend.unrolled
    state, _ = _advance(emulator, links, features, state, source, [])  # compiles, but runs no tick
    compiled = time.perf_counter()
    done, end = gathered.start, gathered.end
    while done < end:
        recorded = _plan(done, end, record_every, gathered.horizon(done, source.length, unrolled))
        state, chunk = _advance(emulator, links, features, state, source, recorded)
        done += len(recorded)
        gathered.add(chunk, done, state, time.perf_counter() - compiled)
    seconds = time.perf_counter() - compiled - gathered.seconds_away
    whole = join(gathered.chunks, seconds=seconds, compile_seconds=compiled - started)
    if (tick_diverged := whole.tick_diverged) is not None:
        warnings.warn(
            f"the run has diverged by tick {tick_diverged}: losses or parameters are not finite", stacklevel=3
        )
    return state, whole


def remarks(emulator: Spec, ticks: int) -> list[str]:
    """Remarks of the parts before a run that ends at tick `ticks`, for example that a trace ends earlier."""
    assert emulator.availability is not None
    texts = [part.remark(ticks) for part in emulator.availability.presence if part.remark is not None]
    return [text for text in (*texts, _inbox_remark(emulator)) if text]


def _inbox_remark(emulator: Spec) -> str | None:
    """A remark about a whole-inbox rule whose inbox has room for one model."""
    gossip = emulator.gossip
    if gossip is None or gossip.merge.merge_all is None or gossip.capacity > 1:
        return None
    if gossip.merge.divide is not None:
        return (
            "gossip.capacity is 1, so that models are evicted when several arrive, and each takes its weight along; "
            "give the inbox more room"
        )
    return (
        "gossip.capacity is 1, and gossip.merge compares the models of an inbox: of two models, the node's own and one "
        "more, it can leave none out; give gossip a larger capacity and fanout"
    )


def compile_ahead(emulator: Spec, state: State, network: Any, *, replay: str | Path | None = None) -> State:
    """Compiles the programs of `run`, or of a replay, and runs no tick; the state is consumed and returned."""
    emulator, links, features = arrays_of(emulator, state, network)
    source: Source = Draw(emulator, links, state)
    if replay is not None:
        source = Replay(replay, emulator, links, state, 1)
    return _advance(emulator, links, features, state, source, [])[0]


def refresh(emulator: Spec, state: State, network: Any, ticks: int) -> State:
    """Lets nodes exchange embeddings for some ticks without merging, training or sending models.

    If all nodes are awake and no embedding is dropped or late, all embeddings match the present parameters after as
    many ticks as there are layers; otherwise it takes longer. Active nodes send to all neighbours in every tick,
    whatever the schedules say. Messages count; wakes and ages stand still, and models that arrive wait. The state is
    consumed, as by `run`.

    Args:
      emulator: the parts.
      state: all nodes.
      network: the network the state was made for.
      ticks: how many ticks to run.

    Returns:
      The state after the last tick.

    Raises:
      InputError: the state was consumed before or does not fit the network, or `ticks` is invalid.
    """
    check_count("ticks", ticks)
    emulator, links, features = arrays_of(emulator, state, network)
    source = Draw(emulator, links, state)
    end = int(state.tick) + ticks
    while (left := end - int(state.tick)) > 0:
        count = min(left, source.length)
        state, events = source.next(state, count)
        state = chunks.refresh(emulator, links, features, state, events, jnp.int32(count))
    return state


def copy(state: State) -> State:
    """Copies a state, for when a run must not consume it.

    Raises:
      InputError: it was consumed already.
    """
    check_alive(state)
    return jax.tree.map(jnp.copy, state)


class _Gathered:
    """The records of a run so far, passed to `on_progress` about twice a second."""

    def __init__(
        self,
        start: int,
        end: int,
        on_progress: Callable[[Progress], None] | None,
        every: int | None,
        at: Collection[int],
    ) -> None:
        self.start, self.end = start, end
        self.chunks: list[History] = []
        self.seconds_away = 0.0  # in on_progress
        self._on_progress, self._every, self._at = on_progress, every, sorted(at)
        self._rate, self._told, self._new = 0.0, 0.0, 0

    def add(self, chunk: History, done: int, state: State, seconds: float) -> None:
        """Takes in a chunk that ended at tick `done`, `seconds` after the first began."""
        seconds -= self.seconds_away
        if len(chunk):  # otherwise a run of days that records little would hold many empty ones
            self.chunks.append(chunk)
        self._rate = (done - self.start) / seconds
        if self._on_progress is None or not self._is_due(done, seconds):
            return
        untold = self.chunks[self._new :]
        diverged = [chunk.tick_diverged for chunk in untold if chunk.tick_diverged is not None]
        self._told, self._new = seconds, len(self.chunks)
        called = time.perf_counter()
        self._on_progress(
            Progress(
                tick=done,
                start_tick=self.start,
                end_tick=self.end,
                rows=[row for chunk in untold for row in chunk.rows()],
                ticks_per_second=self._rate,
                state=state,
                tick_diverged=min(diverged, default=None),
            )
        )
        self.seconds_away += time.perf_counter() - called

    def _is_due(self, done: int, seconds: float) -> bool:
        is_asked_for = done in self._at or (self._every is not None and done % self._every == 0)
        return is_asked_for or done == self.end or seconds >= self._told + TELLING_SECONDS

    def horizon(self, done: int, length: int, unrolled: int) -> int:
        """How many ticks to run from `done` until the next report: a multiple of `unrolled`, else one."""
        wanted = SILENT_SECONDS if self._on_progress is None else TELLING_SECONDS
        asked = [] if self._every is None else [self._every - done % self._every]
        asked += [tick - done for tick in self._at if tick > done][:1]
        most = min(length, self.end - done, *asked)
        ticks = min(most, max(unrolled, int(self._rate * wanted)))
        return max(1, ticks // unrolled * unrolled)


def _plan(done: int, end: int, record_every: int, horizon: int) -> list[bool]:
    """Which of the next ticks are recorded."""
    ticks = range(done + 1, min(end, done + horizon) + 1)
    return [tick % record_every == 0 or tick == end for tick in ticks]


def _advance(
    emulator: Spec, links: Topology, features: jax.Array, state: State, source: Source, recorded: list[bool]
) -> tuple[State, History]:
    """Runs one chunk, a tick for each entry of `recorded`."""
    count = len(recorded)
    is_recorded = np.zeros(source.length, bool)
    is_recorded[:count] = recorded
    state, events = source.next(state, count)
    unrolled = 1 if count == 1 else links.backend.unrolled
    state, measured = chunks.advance(
        emulator, links, features, state, events, jnp.int32(count), jnp.asarray(is_recorded), unrolled=unrolled
    )
    return state, history(measured, is_recorded, state)
