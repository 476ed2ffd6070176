"""From arrays of all nodes to one object per node.

Axes: N nodes, E directed edges, D longest delay.
"""

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.emulation.debug.message import UNKNOWN, Message
from jdgnn.emulation.debug.node import Node
from jdgnn.emulation.state import ModelFlight, State
from jdgnn.keys import on_host
from jdgnn.network.topology import Topology
from jdgnn.protocol.accounts import KINDS, OUTCOMES, whole
from jdgnn.protocol.mailbox import Mailbox
from jdgnn.protocol.model_pool import ModelPool
from jdgnn.protocol.pushes import PushFlight
from jdgnn.protocol.sample_buffer import SampleBuffer

Content = Callable[[int, int], tuple[jax.Array, ...]]
"""From a node and the tick in which it sent them to its embeddings, per layer [F']."""


def nodes_of(state: State, topology: Topology, features: jax.Array) -> list[Node]:
    """Makes a node of each row of a state, and a message of all that is on its way.

    Args:
      state: all nodes; it is only read.
      topology: the links.
      features: what each node measures of itself [N, F0].

    Returns:
      The nodes, by number.
    """
    tick, content = int(state.tick), sent_embeddings(state)
    nodes = [bare_node(number, one) for number, one in enumerate(rows_of(state, features))]
    for edge, (src, dst) in enumerate(zip(topology.senders.tolist(), topology.receivers.tolist(), strict=True)):
        nodes[src].out_edges[edge] = dst
        nodes[dst].in_edges[edge] = src
    if state.mailbox is None:
        embeddings = list(embeddings_held(state, topology, content))
        mailed = [one for one in embeddings if one.tick_due < tick]
        on_their_way = [one for one in embeddings if one.tick_due == tick]
    else:
        mailed = list(mail(state.mailbox, topology))
        on_their_way = list(embeddings_in_flight(state.mailbox, topology, tick, content))
    for held in mailed:
        nodes[held.dst].mailbox[held.edge] = held
    for message in on_their_way:
        nodes[message.dst].incoming.append(message)
    if state.samples is not None and state.pushes is not None:
        fill_samples(nodes, state.samples)
        for message in pushes_in_flight(state.pushes, tick, content):
            nodes[message.dst].incoming.append(message)
    if isinstance(state.models, ModelPool):
        fill_from_pool(nodes, state.models)
    elif isinstance(state.models, ModelFlight):
        for message in models_in_flight(state.models, nodes, tick):
            nodes[message.dst].incoming.append(message)
    return nodes


def rows_of(state: State, features: jax.Array) -> Iterator[dict[str, Any]]:
    """What the state holds of one node after another, whatever buffers there are."""
    fields = ("params", "opt_state", "embeddings", "embedded_at", "age", "wakes", "num_steps")
    arrays: dict[str, Any] = {name: getattr(state, name) for name in fields} | {
        "features": features,
        "schedule_memory": {"push": state.push_schedule, "model": state.model_schedule},
        "accounts": whole(state.accounts.words),
    }
    arrays = on_host(arrays)

    def row(number: int) -> dict[str, Any]:
        return jax.tree.map(lambda leaf: leaf[number], arrays)

    return map(row, range(state.num_nodes))


def bare_node(number: int, row: dict[str, Any]) -> Node:
    """A node without links, mail and messages."""
    booked = {
        (kind, outcome): int(row["accounts"][i, j])
        for i, kind in enumerate(KINDS)
        for j, outcome in enumerate(OUTCOMES)
    }
    arrays = {name: row[name] for name in ("features", "params", "opt_state", "embeddings", "schedule_memory")}
    return Node(
        number=number,
        in_edges={},
        out_edges={},
        embedded_at=int(row["embedded_at"]),
        age=int(row["age"]),
        wakes=int(row["wakes"]),
        num_steps=row["num_steps"].tolist(),
        num_idle=[0] * len(row["num_steps"]),
        accounts=Counter(booked),
        **jax.tree.map(jnp.asarray, arrays),
    )


def sent_embeddings(state: State) -> Content:
    """What nodes sent: what they hold, or held in one of the last ticks."""
    held = jax.tree.map(np.asarray, state.embeddings if state.history is None else state.history)

    @functools.cache
    def content(src: int, tick_sent: int) -> tuple[jax.Array, ...]:
        if state.history is None:
            return tuple(jnp.asarray(layer[src]) for layer in held)
        return tuple(jnp.asarray(layer[src, tick_sent % layer.shape[1]]) for layer in held)

    return content


def embeddings_held(state: State, topology: Topology, content: Content) -> Iterator[Message]:
    """Without mailboxes, what a node computed arrives at all neighbours in the tick after."""
    embedded_at = np.asarray(state.embedded_at)
    for edge, (src, dst) in enumerate(zip(topology.senders.tolist(), topology.receivers.tolist(), strict=True)):
        if embedded_at[src] >= 0:
            sent = int(embedded_at[src])
            payload = content(src, sent)
            yield Message(
                kind="embedding", src=src, dst=dst, tick_sent=sent, tick_due=sent + 1, payload=payload, edge=edge
            )


def mail(mailbox: Mailbox, topology: Topology) -> Iterator[Message]:
    """What has come over each edge."""
    version, entries = np.asarray(mailbox.version), jax.tree.map(np.asarray, mailbox.entries)
    for edge in np.flatnonzero(version >= 0).tolist():
        yield Message(
            kind="embedding",
            src=int(topology.senders[edge]),
            dst=int(topology.receivers[edge]),
            tick_sent=int(version[edge]),
            tick_due=UNKNOWN,
            payload=tuple(jnp.asarray(layer[edge]) for layer in entries),
            edge=edge,
        )


def embeddings_in_flight(mailbox: Mailbox, topology: Topology, tick: int, content: Content) -> Iterator[Message]:
    """What is on its way over each edge."""
    senders, receivers = np.asarray(topology.senders), np.asarray(topology.receivers)
    for edge, _, tick_sent, tick_due in in_flight(np.asarray(mailbox.delays)[:, :, None], tick):
        src = int(senders[edge])
        yield Message(
            kind="embedding",
            src=src,
            dst=int(receivers[edge]),
            tick_sent=tick_sent,
            tick_due=tick_due,
            payload=content(src, tick_sent),
            edge=edge,
        )


def in_flight(delays: np.ndarray, tick: int) -> Iterator[tuple[int, int, int, int]]:
    """What of the last ticks is still on its way before this one, by the delays in `protocol.rings` [n, D+1, slots].

    Gives row, slot, the tick in which it was sent and that in which it arrives, the first sent first.
    """
    depth = delays.shape[1]
    for tick_sent in range(tick - depth, tick):
        sent = delays[:, tick_sent % depth].astype(np.int64)
        for row, slot in np.argwhere((sent < depth) & (tick_sent + 1 + sent >= tick)).tolist():
            yield row, slot, tick_sent, tick_sent + 1 + int(sent[row, slot])


def fill_samples(nodes: list[Node], samples: SampleBuffer) -> None:
    """Gives each node its samples; who sent them, and when, is not known any more."""
    entries = jax.tree.map(np.asarray, samples.entries)
    next_slot, num_samples = np.asarray(samples.next_slot), np.asarray(samples.num_samples)
    for node in nodes:
        node.next_slot = int(next_slot[node.number])
        node.samples = [
            Message(
                kind="push",
                src=UNKNOWN,
                dst=node.number,
                tick_sent=UNKNOWN,
                tick_due=UNKNOWN,
                payload=tuple(jnp.asarray(layer[node.number, slot]) for layer in entries),
            )
            for slot in range(int(num_samples[node.number]))
        ]


def pushes_in_flight(flight: PushFlight, tick: int, content: Content) -> Iterator[Message]:
    """Pushes on their way."""
    dst, rank, num_slots = np.asarray(flight.dst), np.asarray(flight.rank), flight.dst.shape[2]
    depth = flight.max_delay + 1
    for src, column, tick_sent, tick_due in in_flight(np.asarray(flight.delay), tick):
        where = src, tick_sent % depth, column
        yield Message(
            kind="push",
            src=src,
            dst=int(dst[where]),
            tick_sent=tick_sent,
            tick_due=tick_due,
            payload=content(src, tick_sent),
            rank=int(rank[where]),
            slot=src * num_slots + column,
        )


def models_in_flight(flight: ModelFlight, nodes: list[Node], tick: int) -> Iterator[Message]:
    """Models sent in the last tick, where their content is what their senders hold."""
    dst, rank, num_slots = np.asarray(flight.dst), np.asarray(flight.rank), flight.dst.shape[1]
    for src, column in np.argwhere(np.asarray(flight.is_sent)).tolist():
        yield Message(
            kind="model",
            src=src,
            dst=int(dst[src, column]),
            tick_sent=tick - 1,
            tick_due=tick,
            payload=nodes[src].params,
            age=nodes[src].age,
            rank=int(rank[src, column]),
            slot=src * num_slots + column,
        )


def fill_from_pool(nodes: list[Node], pool: ModelPool) -> None:
    """Puts every model of the pool where it is: on its way, in an inbox, or kept to be passed on."""
    host = jax.tree.map(np.asarray, pool)

    def model(place: int, dst: int) -> Message:
        return Message(
            kind="model",
            src=int(host.src[place]),
            dst=dst,
            tick_sent=int(host.tick_sent[place]),
            tick_due=int(host.tick_due[place]),
            payload=jax.tree.map(lambda leaf: jnp.asarray(leaf[place]), host.params),
            age=int(host.age[place]),
            rank=int(host.rank[place]),
            slot=int(host.slot[place]),
        )

    for place in np.flatnonzero(~host.is_free & (host.dst < len(nodes))).tolist():
        nodes[host.dst[place]].incoming.append(model(place, int(host.dst[place])))
    for node in nodes:
        waiting = host.inbox[node.number]
        node.inbox = [model(place, node.number) for place in waiting[waiting < pool.num_places].tolist()]
        if host.kept is not None and host.kept[node.number] < pool.num_places:
            node.kept = model(int(host.kept[node.number]), node.number)
