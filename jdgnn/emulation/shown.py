"""What a notebook shows of an emulator, of a history and of a state."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jdgnn.checks import is_consumed
from jdgnn.emulation.described import described
from jdgnn.errors import InputError
from jdgnn.html import Html, Piece, block, caption, sparkline, table
from jdgnn.protocol.accounts import KINDS, OUTCOMES
from jdgnn.protocol.links import Link

if TYPE_CHECKING:
    from jdgnn.emulation.emulator import Emulator
    from jdgnn.emulation.history import History
    from jdgnn.emulation.state import State

ANY_FEATURES = 8
"""Features of a node, where an emulator is shown that has met no network."""

LAST = ("norm_ratio", "staleness", "online", "active")
ENDS = (*OUTCOMES, "in_flight")
MODES = {True: "always", False: "never", None: "wherever they can be"}


def emulator_as_html(emulator: "Emulator") -> str:
    """The parts of an emulator and their numbers.

    Example:
      >>> import jdgnn
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(temperature=0.2),
      ...     optimizer=jdgnn.sgd(0.1), push=jdgnn.push(), gossip=None)
      >>> "info_nce(temperature=0.2)" in emulator_as_html(emulator)
      True
    """
    return block("Emulator", table([*_learning(emulator), *_traffic(emulator), *_settings(emulator)]))


def _learning(emulator: "Emulator") -> Iterator[tuple[Piece, ...]]:
    try:
        units: tuple[Any, ...] = emulator.units(ANY_FEATURES)
    except InputError:
        units = (None,) * len(emulator.layers)
    for number, (layer, width) in enumerate(zip(emulator.layers, units, strict=True), start=1):
        wide = "" if width is None else f"{width} units; "
        yield f"layer {number}", f"{wide}of what neighbours sent: {described(layer)}"
    objectives = [described(objective) for objective in emulator.objectives]
    for number, objective in enumerate(objectives[:1] if len(set(objectives)) == 1 else objectives, start=1):
        yield "objective" if len(set(objectives)) == 1 else f"objective {number}", objective
    yield "optimizer", described(emulator.optimizer)


def _traffic(emulator: "Emulator") -> Iterator[tuple[Piece, ...]]:
    traffic = emulator.traffic
    every = "every wake" if traffic.publish.schedule is None else described(traffic.publish.schedule)
    yield "publish", f"{every}; {_link(traffic.publish.link)}"
    if traffic.push is None:
        yield "push", "none"
    else:
        push = traffic.push
        to = f"{push.fanout} to {described(push.peers)}, {described(push.schedule)}"
        yield "push", f"{to}; {push.capacity} kept; {_link(push.link)}"
    if traffic.gossip is None:
        yield "gossip", "none"
    else:
        gossip = traffic.gossip
        to = f"{gossip.fanout} to {described(gossip.peers)}, {described(gossip.schedule)}"
        pool = "" if gossip.pool is None else f"; pool {gossip.pool:g}"
        how = f"{described(gossip.merge)}, {gossip.order}, at most {gossip.capacity} wait{pool}"
        accepted = "all accepted" if gossip.acceptance.probability is None else described(gossip.acceptance)
        passed = ", passed through" if gossip.pass_through else ""
        yield "gossip", f"{to}; {how}; {accepted}{passed}; {_link(gossip.link)}"
    available = traffic.availability
    clock = "always awake" if available.clock.sample is None else described(available.clock)
    presence = ", ".join(map(described, available.presence)) or "always online"
    yield "availability", f"{clock}; {presence}{'; awake on receipt' if available.on_receipt else ''}"


def _settings(emulator: "Emulator") -> Iterator[tuple[Piece, ...]]:
    yield "positives", f"at most {emulator.num_positives}"
    yield "start", emulator.start
    if emulator.awake_share is not None:
        yield "awake share", f"{emulator.awake_share:g}"
    yield "parameters", "as features" if emulator.param_dtype is None else str(emulator.param_dtype)
    yield "kernels", MODES[emulator.kernels]


def _link(link: Link) -> str:
    parts = {"loss": link.loss, "delay": link.delay, "split": link.split}
    return "; ".join(f"{name} {described(part)}" for name, part in parts.items() if part is not None) or "perfect link"


def history_as_html(history: "History") -> str:
    """The last figures of a history, small lines of loss and consensus distance, and what became of messages.

    Example:
      >>> import jax, jdgnn
      >>> network = jdgnn.generators.ring(6)
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(4)], objective=jdgnn.info_nce(), optimizer=jdgnn.sgd(0.1),
      ...     push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> _, history = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 2, record_every=1)
      >>> history_as_html(history).count("<svg")
      2
    """
    if not len(history):
        return block("History", caption("empty"))
    row = history._row(len(history) - 1)
    title = f"History: {len(history):,} records to tick {row['tick']:,}"
    lines = [
        *(_figure(f"loss, layer {index + 1}", history.loss[:, index]) for index in range(history.loss.shape[1])),
        _figure("consensus distance", history.consensus_distance),
    ]
    last = [(name.replace("_", " "), row[name]) for name in LAST]
    ranks = [(f"effective rank, layer {number}", rank) for number, rank in enumerate(row["effective_rank"], start=1)]
    messages = [
        (kind, *(row[f"messages_{end}"][kind] for end in ENDS), row["bytes_sent"][kind])
        for kind in KINDS
        if row["messages_sent"][kind]
    ]
    head = ("messages", *(end.replace("_", " ") for end in ENDS), "bytes sent")
    diverged = [] if history.tick_diverged is None else [caption(f"diverged by tick {history.tick_diverged:,}")]
    return block(title, *diverged, table([*lines, *ranks, *last]), table(messages, head) if messages else Html(""))


def _figure(name: str, values: np.ndarray) -> tuple[Piece, ...]:
    return name, float(values[-1]), sparkline(values.tolist(), name)


def state_as_html(state: "State") -> str:
    """How many nodes and ticks a state holds, and the bytes of its parts; of one that was consumed, that it was."""
    if is_consumed(state):
        return block("State", caption("consumed by a run, which returned the next"))
    is_there = isinstance(state.tick, jax.Array)
    title = f"State of {state.num_nodes:,} nodes after tick {int(state.tick):,}" if is_there else "State: shapes only"
    parts = {name: _bytes(getattr(state, name)) for name in state.__dataclass_fields__}
    rows = [(name, size) for name, size in sorted(parts.items(), key=lambda part: -part[1]) if size >= 1024]
    return block(title, table([*rows, ("all", sum(parts.values()))], ("part", "bytes")))


def _bytes(tree: Any) -> int:
    return sum(int(np.prod(leaf.shape)) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
