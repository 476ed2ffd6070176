"""Converts a state of all nodes to one object per node, and per message on its way.

Axes: N nodes, E directed edges, F' units of a layer, D longest delay.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.emulation.state import State
from jdgnn.keys import on_host
from jdgnn.network.topology import Topology
from jdgnn.protocol.accounts import KINDS, OUTCOMES, whole
from jdgnn.protocol.roles import ATTACKER
from jdgnn.protocol.sample_buffer import SampleBuffer
from jdgnn.protocol.transport import ModelFlight, ModelPool
from jdgnn.reference.message import UNKNOWN, Message
from jdgnn.reference.node import Node
from jdgnn.reference.oracle import Oracle, row_of

Content = Callable[[int, int], tuple[jax.Array, ...]]
"""Gives the embeddings, per layer [F'], that a node sent in a tick."""

WHOLE = ("embedded_at", "age", "wakes")


def take_over(oracle: Oracle, state: State) -> None:
    """Fills the nodes and the post of an oracle, which has the parameters of the state already, from the state."""
    oracle.now, nodes, content = int(state.tick), oracle.nodes, sent_embeddings(state)
    fill(nodes, state)
    flying = oracle.post.in_flight
    for message in embeddings(state, oracle.rules.links, content):
        if message.tick_due < oracle.now:
            nodes[message.dst].mailbox[message.edge] = delivered(message)
        else:
            flying.append(message)
    if state.samples is not None:
        fill_samples(nodes, on_host(state.samples))
        flying.extend(pushes(state, content))
    if isinstance(state.models, ModelFlight):
        flying.extend(models(state.models, nodes, oracle.now))
    elif isinstance(state.models, ModelPool):
        flying.extend(sort_pool(state.models, nodes))


def fill(nodes: list[Node], state: State) -> None:
    """Gives each node its own numbers, except for parameters and optimiser state."""
    memory = {"push": state.push_schedule, "model": state.model_schedule}
    held, num_steps = on_host((state.embeddings, memory, state.weight, state.content)), state.num_steps.tolist()
    accounts = whole(state.accounts.words).tolist()
    for name in WHOLE:
        for node, number in zip(nodes, getattr(state, name).tolist(), strict=True):
            setattr(node, name, number)
    for node in nodes:
        node.is_attacker = state.role is not None and int(state.role[node.number]) == ATTACKER
        node.embeddings, node.schedule_memory, node.weight, node.content_memory = row_of(held, node.number)
        node.num_steps = num_steps[node.number]
        for kind, counts in zip(KINDS, accounts[node.number], strict=True):
            node.accounts.update({(kind, outcome): count for outcome, count in zip(OUTCOMES, counts, strict=True)})


def delivered(message: Message) -> Message:
    """Marks a message as delivered; the accounts of the state have counted it already."""
    message.outcome = "delivered"
    return message


def sent_embeddings(state: State) -> Content:
    """The embeddings that nodes sent: those they hold, or held in one of the last ticks."""
    held = jax.tree.map(np.asarray, state.embeddings if state.history is None else state.history)

    @cache
    def content(src: int, tick_sent: int) -> tuple[jax.Array, ...]:
        if state.history is None:
            return tuple(jnp.asarray(layer[src]) for layer in held)
        return tuple(jnp.asarray(layer[src, tick_sent % layer.shape[1]]) for layer in held)

    return content


def embeddings(state: State, links: Topology, content: Content) -> Iterator[Message]:
    """The newest embedding that arrived over each edge, and those on their way."""
    ends = list(zip(links.senders.tolist(), links.receivers.tolist(), strict=True))

    def message(edge: int, payload: tuple[Any, ...], tick_sent: int, tick_due: int) -> Message:
        ways: dict[str, Any] = {"slot": edge, "tick_sent": tick_sent, "tick_due": tick_due}
        return Message(kind="embedding", src=ends[edge][0], dst=ends[edge][1], payload=payload, **ways)

    if state.mailbox is None:  # each embedding arrives at all neighbours in the next tick
        embedded_at = state.embedded_at.tolist()
        for edge, (src, _) in enumerate(ends):
            if embedded_at[src] >= 0:
                yield message(edge, content(src, embedded_at[src]), embedded_at[src], embedded_at[src] + 1)
        return
    entries = jax.tree.map(np.asarray, state.mailbox.entries)
    for edge, version in enumerate(state.mailbox.version.tolist()):
        if version >= 0:
            yield message(edge, tuple(jnp.asarray(layer[edge]) for layer in entries), version, UNKNOWN)
    for edge, _, *when in in_flight(np.asarray(state.mailbox.delays)[:, :, None], int(state.tick)):
        yield message(edge, content(ends[edge][0], when[0]), *when)


def in_flight(delays: np.ndarray, tick: int) -> Iterator[tuple[int, int, int, int]]:
    """The messages of a ring of delays [n, D+1, slots] on their way before this tick; see `protocol.rings`.

    Gives row, slot, the tick of sending and that of arrival, the first sent first.
    """
    depth = delays.shape[1]
    for tick_sent in range(tick - depth, tick):
        sent = delays[:, tick_sent % depth].astype(np.int64)
        for row, slot in np.argwhere((sent < depth) & (tick_sent + 1 + sent >= tick)).tolist():
            yield row, slot, tick_sent, tick_sent + 1 + int(sent[row, slot])


def fill_samples(nodes: list[Node], samples: SampleBuffer) -> None:
    """Gives each node its samples; their senders and ticks are not known any more."""
    unknown: dict[str, Any] = dict.fromkeys(("src", "tick_sent", "tick_due"), UNKNOWN)
    for node in nodes:
        node.next_slot = int(samples.next_slot[node.number])
        for slot in range(int(samples.num_samples[node.number])):
            payload = tuple(jnp.asarray(layer[node.number, slot]) for layer in samples.entries)
            message = Message(kind="push", dst=node.number, payload=payload, **unknown)
            node.samples.append(delivered(message))


def pushes(state: State, content: Content) -> Iterator[Message]:
    """Pushes on their way."""
    assert state.pushes is not None
    dst, rank = np.asarray(state.pushes.dst), np.asarray(state.pushes.rank)
    _, depth, num_slots = dst.shape
    for src, column, tick_sent, tick_due in in_flight(np.asarray(state.pushes.delay), int(state.tick)):
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


def models(flight: ModelFlight, nodes: list[Node], tick: int) -> Iterator[Message]:
    """Models sent in the last tick, if their content is what their senders hold."""
    dst, rank = np.asarray(flight.dst), np.asarray(flight.rank)
    for src, column in np.argwhere(np.asarray(flight.is_sent)).tolist():
        yield Message(
            kind="model",
            src=src,
            dst=int(dst[src, column]),
            tick_sent=tick - 1,
            tick_due=tick,
            payload=nodes[src].params,
            age=nodes[src].age,
            weight=nodes[src].weight,
            src_degree=nodes[src].degree,
            rank=int(rank[src, column]),
            slot=src * dst.shape[1] + column,
        )


def sort_pool(pool: ModelPool, nodes: list[Node]) -> list[Message]:
    """Puts models of the pool into inboxes, or keeps them to be passed on; returns those on their way."""
    host = jax.tree.map(np.asarray, pool)

    def model(place: int, dst: int) -> Message:
        names = ("age", "src", "tick_sent", "tick_due", "rank", "slot")
        known: dict[str, Any] = {name: int(getattr(host, name)[place]) for name in names}
        payload, weight = row_of((host.params, host.weight), place)
        degree = nodes[known["src"]].degree
        return Message(kind="model", dst=dst, payload=payload, weight=weight, src_degree=degree, **known)

    for node in nodes:
        waiting = host.inbox[node.number]
        node.inbox = [model(place, node.number) for place in waiting[waiting < pool.num_places].tolist()]
        if host.kept is not None and host.kept[node.number] < pool.num_places:
            node.kept = model(int(host.kept[node.number]), node.number)
    flying = np.flatnonzero(~host.is_free & (host.dst < len(nodes))).tolist()
    return [model(place, int(host.dst[place])) for place in flying]
