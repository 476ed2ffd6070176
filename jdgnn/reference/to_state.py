"""Converts one object per node back to a state of all nodes.

Messages that are no longer on their way leave no trace: where the state of a compiled run still shows arrived messages,
this one shows that nothing was sent. Axes: N nodes, E directed edges.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.emulation.state import State
from jdgnn.keys import is_key
from jdgnn.protocol.accounts import Accounts, whole
from jdgnn.protocol.mailbox import Mailbox
from jdgnn.protocol.pushes import PushFlight, no_pushes
from jdgnn.protocol.rings import nothing_sent
from jdgnn.protocol.sample_buffer import SampleBuffer
from jdgnn.protocol.transport import ModelFlight, ModelPool
from jdgnn.reference.from_state import WHOLE
from jdgnn.reference.message import Message
from jdgnn.reference.node import Node
from jdgnn.reference.oracle import Oracle


def state_of(oracle: Oracle, before: State, attended: Any, num_crowded: int) -> State:
    """Makes the state of all nodes after the last tick.

    Args:
      oracle: the network.
      before: the state it started from, with the clocks of now.
      attended: node-ticks joined and online since then [2].
      num_crowded: ticks since then with too few compact rows.
    """
    nodes, flying = oracle.nodes, oracle.post.in_flight
    per_node = {
        name: stacked(getattr(before, name), [getattr(node, name) for node in nodes])
        for name in (*WHOLE, "weight", "params", "opt_state", "embeddings")
    }
    memory = {
        f"{kind}_schedule": stacked(getattr(before, f"{kind}_schedule"), [node.schedule_memory[kind] for node in nodes])
        for kind in ("push", "model")
    }
    memory["content"] = stacked(before.content, [node.content_memory for node in nodes])
    num_idle = np.sum([node.num_idle for node in nodes], axis=0)
    num_excess = [sum(node.num_excess[kind] for node in nodes) for kind in ("push", "model")]
    return replace(
        before,
        **per_node,
        **memory,
        tick=jnp.int32(oracle.now),
        attendance=None if before.attendance is None else added(before.attendance, attended),
        num_steps=jnp.asarray([node.num_steps for node in nodes], jnp.int32),
        history=None if before.history is None else history_of(before.history, flying),
        mailbox=None if before.mailbox is None else mailbox_of(before.mailbox, nodes, flying),
        samples=None if before.samples is None else samples_of(before.samples, nodes),
        pushes=None if before.pushes is None else pushes_of(before.pushes, flying),
        models=models_of(before.models, nodes, [message for message in flying if message.kind == "model"]),
        num_idle=added(before.num_idle, num_idle),
        num_excess=added(before.num_excess, num_excess),
        num_unplaced=added(before.num_unplaced, oracle.post.num_unplaced),
        num_crowded=before.num_crowded + jnp.int32(num_crowded),
        accounts=Accounts(words=as_words(oracle.post.table())),
    )


def stacked(like: Any, rows: Sequence[Any]) -> Any:
    """Stacks the trees of all nodes, in the dtypes of `like`."""

    def of_leaf(leaf: jax.Array, *parts: Any) -> jax.Array:
        return jnp.stack(parts) if is_key(leaf) else jnp.asarray(np.stack([*map(np.asarray, parts)]), leaf.dtype)

    return jax.tree.map(of_leaf, like, *rows)


def as_words(numbers: Any) -> jax.Array:
    """Numbers as high and low word [..., 2] uint32."""
    numbers = np.asarray(numbers, np.int64)
    return jnp.asarray(np.stack([numbers >> 32, numbers & 0xFFFFFFFF], axis=-1).astype(np.uint32))


def added(words: jax.Array, numbers: Any) -> jax.Array:
    """Numbers kept as high and low word [..., 2], plus others."""
    return as_words(whole(words) + np.asarray(numbers))


def filled(layers: Iterable[jax.Array], held: Iterable[tuple[tuple[int, ...] | int, Message]]) -> tuple[jax.Array, ...]:
    """Arrays in the shape of `layers`, zeros except for the embeddings of messages at their places."""
    arrays = [np.zeros(layer.shape, layer.dtype) for layer in layers]
    for place, message in held:
        for array, embedding in zip(arrays, message.payload, strict=True):
            array[place] = embedding
    return tuple(map(jnp.asarray, arrays))


def history_of(before: tuple[jax.Array, ...], flying: list[Message]) -> tuple[jax.Array, ...]:
    """The embeddings of messages on their way, each at the place where it is read."""
    depth = before[0].shape[1]
    return filled(before, (((m.src, m.tick_sent % depth), m) for m in flying if m.kind != "model"))


def mailbox_of(before: Mailbox, nodes: list[Node], flying: list[Message]) -> Mailbox:
    """The embeddings that have arrived over each edge, and those on their way."""
    held = [pair for node in nodes for pair in node.mailbox.items()]
    version = np.full(before.version.shape, -1, np.int32)
    for edge, message in held:
        version[edge] = message.tick_sent
    delays = np.array(nothing_sent(before.delays.shape, before.max_delay))
    for message in flying:
        if message.kind == "embedding":
            delays[message.edge, message.tick_sent % delays.shape[1]] = message.tick_due - message.tick_sent - 1
    return Mailbox(entries=filled(before.entries, held), version=jnp.asarray(version), delays=jnp.asarray(delays))


def samples_of(before: SampleBuffer, nodes: list[Node]) -> SampleBuffer:
    """The sample buffers."""
    return SampleBuffer(
        entries=filled(before.entries, (((node.number, i), m) for node in nodes for i, m in enumerate(node.samples))),
        next_slot=jnp.asarray([node.next_slot for node in nodes], jnp.int32),
        num_samples=jnp.asarray([len(node.samples) for node in nodes], jnp.int32),
    )


def pushes_of(before: PushFlight, flying: list[Message]) -> PushFlight:
    """The pushes on their way."""
    num_nodes, depth, num_slots = before.dst.shape
    flight = jax.tree.map(np.array, no_pushes(num_nodes, num_slots, before.max_delay))
    for message in flying:
        if message.kind == "push":
            where = message.src, message.tick_sent % depth, message.slot % num_slots
            flight.dst[where], flight.rank[where] = message.dst, message.rank
            flight.delay[where] = message.tick_due - message.tick_sent - 1
    return jax.tree.map(jnp.asarray, flight)


def models_of(
    before: ModelFlight | ModelPool | None, nodes: list[Node], flying: list[Message]
) -> ModelFlight | ModelPool | None:
    """The models on their way, waiting or kept."""
    if isinstance(before, ModelPool):
        return pool_of(before, nodes, flying)
    if before is None:
        return None
    num_nodes, num_slots = before.dst.shape
    flight = jax.tree.map(np.array, before)
    flight.dst[:], flight.rank[:], flight.is_sent[:] = num_nodes, 0, False
    for message in flying:
        where = message.src, message.slot % num_slots
        flight.dst[where], flight.rank[where], flight.is_sent[where] = message.dst, message.rank, True
    return jax.tree.map(jnp.asarray, flight)


def pool_of(before: ModelPool, nodes: list[Node], flying: list[Message]) -> ModelPool:
    """A pool whose first places are taken."""
    pool = jax.tree.map(np.array, before)
    pool.is_free[:], pool.inbox[:], pool.dst[:] = True, pool.num_places, len(nodes)
    if pool.kept is not None:
        pool.kept[:] = pool.num_places
    places = iter(range(pool.num_places))

    def put(message: Message, dst: int) -> int:
        place = next(places)
        for name in ("age", "src", "tick_sent", "tick_due", "rank", "slot"):
            getattr(pool, name)[place] = getattr(message, name)
        pool.dst[place], pool.is_free[place] = dst, False
        held, sent = (pool.params, pool.weight), (message.payload, message.weight)
        for rows, leaf in zip(jax.tree.leaves(held), jax.tree.leaves(sent), strict=True):
            rows[place] = leaf
        return place

    for message in flying:
        put(message, message.dst)
    for node in nodes:
        for position, message in enumerate(node.inbox):
            pool.inbox[node.number, position] = put(message, len(nodes))
        if node.kept is not None:
            pool.kept[node.number] = put(node.kept, len(nodes))
    return jax.tree.map(jnp.asarray, pool)
