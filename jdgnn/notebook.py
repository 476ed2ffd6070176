"""What a notebook shows of an emulator, a network, a history and a state."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from jdgnn.checks import is_consumed
from jdgnn.emulation.described import described
from jdgnn.emulation.history import History
from jdgnn.emulation.state import State
from jdgnn.emulator import Emulator
from jdgnn.errors import InputError
from jdgnn.html import Html, Piece, block, caption, sparkline, table
from jdgnn.network.narrowing import narrowing_notes
from jdgnn.network.network import Network
from jdgnn.protocol.accounts import KINDS, OUTCOMES
from jdgnn.protocol.links import Link

ANY_FEATURES = 8
"""Features of a node, where an emulator is shown that has met no network."""

LAST = ("norm_ratio", "staleness", "online", "active")
ENDS = (*OUTCOMES, "in_flight")
MOST_CLASSES = 12
"""Classes whose sizes are told."""


def emulator_as_html(emulator: Emulator) -> str:
    """The parts of an emulator and their numbers.

    Example:
      >>> import jdgnn
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(temperature=0.2),
      ...     optimizer=jdgnn.sgd(0.1), push=jdgnn.push(), gossip=None)
      >>> "info_nce(temperature=0.2)" in emulator_as_html(emulator)
      True
    """
    return block(
        "Emulator", table([*_learning(emulator), *_traffic(emulator), *_attackers(emulator), *_settings(emulator)])
    )


def _learning(emulator: Emulator) -> Iterator[tuple[Piece, ...]]:
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


def _traffic(emulator: Emulator) -> Iterator[tuple[Piece, ...]]:
    traffic = emulator.traffic
    every = "every wake" if traffic.publish.schedule is None else described(traffic.publish.schedule)
    expiry = traffic.publish.expiry
    used = "" if expiry is None else f"; used for {int(expiry)} ticks"
    yield "publish", f"{every}; {_link(traffic.publish.link)}{used}"
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
        content = "" if gossip.content is None else f"{described(gossip.content)}; "
        pool = "" if gossip.pool is None else f"; pool {gossip.pool:g}"
        how = f"{described(gossip.merge)}, {gossip.order}, at most {gossip.capacity} wait{pool}"
        accepted = "all accepted" if gossip.acceptance.probability is None else described(gossip.acceptance)
        passed = ", passed through" if gossip.pass_through else ""
        yield "gossip", f"{to}; {content}{how}; {accepted}{passed}; {_link(gossip.link)}"
    available = traffic.availability
    clock = "always awake" if available.clock.sample is None else described(available.clock)
    presence = ", ".join(map(described, available.presence)) or "always online"
    links = f"; links {described(available.links)}" if available.can_be_down else ""
    yield "availability", f"{clock}; {presence}{'; awake on receipt' if available.on_receipt else ''}{links}"


def _attackers(emulator: Emulator) -> Iterator[tuple[Piece, ...]]:
    if (attackers := emulator.attackers) is not None:
        yield "attackers", f"{described(attackers.selection)}: {described(attackers.attack)}"


def _settings(emulator: Emulator) -> Iterator[tuple[Piece, ...]]:
    yield "positives", f"at most {emulator.num_positives}"
    yield "initial", emulator.initial
    if emulator.active_fraction is not None:
        yield "active fraction", f"{emulator.active_fraction:g}"
    yield "parameters", "as features" if emulator.param_dtype is None else str(emulator.param_dtype)
    yield "backend", emulator.backend or "the fastest"


def _link(link: Link) -> str:
    parts = {"drop": link.drop, "delay": link.delay, "partition": link.partition}
    return "; ".join(f"{name} {described(part)}" for name, part in parts.items() if part is not None) or "perfect link"


def history_as_html(history: History) -> str:
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


def state_as_html(state: State) -> str:
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


def network_as_html(network: Network) -> str:
    """Counts, degrees, components, labels and splits of a network, and what was removed when it was made.

    Example:
      >>> from jdgnn.network import ring
      >>> "in-degree" in network_as_html(ring(6))
      True
    """
    return block(f"Network {network.name!r}", table(_network_facts(network)))


def _network_facts(network: Network) -> Iterator[tuple[Piece, ...]]:
    degree = network.in_degree
    yield "nodes", network.num_nodes
    yield "directed edges", f"{network.num_edges:,}, {_symmetry(network)}"
    yield "features", f"{network.num_features:,} ({network.features.dtype})"
    yield (
        "in-degree",
        f"{degree.min():,} to {degree.max():,}, mean {degree.mean():.3g}, median {np.median(degree):.3g}; "
        f"{(degree == 0).sum():,} nodes without in-neighbours",
    )
    yield "components", _components(network)
    if network.link_quality is not None and network.num_edges:
        quality = network.link_quality
        yield "link quality", f"{quality.min():.3g} to {quality.max():.3g}, mean {quality.mean():.3g}"
    yield "labels", _label_sizes(network)
    if network.splits is None:
        yield "splits", "none"
    else:
        splits = network.splits
        sizes = [f"{part} {_range(getattr(splits, part).sum(axis=1))}" for part in ("train", "validation", "test")]
        yield "splits", f"{splits.num_splits:,}: {', '.join(sizes)} nodes"
    yield (
        "removed",
        f"{network.num_self_loops_removed:,} self-loops; {network.num_duplicates_merged:,} duplicate links merged",
    )
    for note in (*network.notes, *narrowing_notes(network.features, network.feature_names)):
        yield "note", note


def _symmetry(network: Network) -> str:
    """How many edges have one in the other direction."""
    if not network.num_edges:
        return "none"
    size = np.int64(network.num_nodes)
    there = network.senders * size + network.receivers
    back = network.receivers * size + network.senders
    share = np.isin(back, there).mean()
    return "all in both directions" if share == 1 else f"{100 * share:.3g} % of them in both directions"


def _components(network: Network) -> str:
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    shape = (network.num_nodes, network.num_nodes)
    links = (np.ones(network.num_edges, bool), (network.senders, network.receivers))
    count, of_node = connected_components(sparse.csr_array(links, shape=shape), directed=False)
    return f"{count:,}" if count == 1 else f"{count:,}, the largest of {np.bincount(of_node).max():,} nodes"


def _label_sizes(network: Network) -> str:
    if network.labels is None:
        return "none"
    sizes = np.bincount(network.labels[network.labels >= 0])
    num_unlabelled = network.num_nodes - int(sizes.sum())
    names = [
        network.class_names[index] if index < len(network.class_names) else str(index) for index in range(len(sizes))
    ]
    told = [f"{name} ({size:,})" for name, size in zip(names[:MOST_CLASSES], sizes[:MOST_CLASSES], strict=True)]
    rest = [f"{len(sizes) - MOST_CLASSES} more"] if len(sizes) > MOST_CLASSES else []
    none = [f"{num_unlabelled:,} nodes have none"] if num_unlabelled else []
    return f"{len(sizes)} classes: {', '.join([*told, *rest, *none])}"


def _range(sizes: np.ndarray) -> str:
    low, high = int(sizes.min()), int(sizes.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def show_in_notebooks() -> None:
    """Gives emulators, networks, histories and states the pictures that notebooks show of them."""
    pictures = {
        Emulator: emulator_as_html,
        Network: network_as_html,
        History: history_as_html,
        State: state_as_html,
    }
    for kind, as_html in pictures.items():
        kind._repr_html_ = as_html  # type: ignore[attr-defined]
