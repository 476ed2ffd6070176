"""From one object per node back to arrays of all nodes.

What is not on its way any more leaves no trace: where the state of a compiled run still shows what has arrived, this
one shows that nothing was sent. Axes: N nodes, E directed edges.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.emulation.debug.message import Message
from jdgnn.emulation.debug.node import Node
from jdgnn.emulation.state import ModelFlight, State, no_flight
from jdgnn.keys import is_key
from jdgnn.protocol.accounts import KINDS, OUTCOMES, Accounts, whole
from jdgnn.protocol.mailbox import Mailbox
from jdgnn.protocol.model_pool import ModelPool
from jdgnn.protocol.pushes import PushFlight, no_pushes
from jdgnn.protocol.rings import nothing_sent
from jdgnn.protocol.sample_buffer import SampleBuffer


def state_of(nodes: list[Node], before: State, tick: int, num_crowded: int) -> State:
    """Makes a state of nodes.

    Args:
      nodes: the nodes, by number.
      before: the state they started from, whose clocks have gone on.
      tick: ticks done.
      num_crowded: ticks since then in which there was not enough compact room.

    Returns:
      All nodes after that tick.
    """
    memory = {
        kind: stacked(getattr(before, f"{kind}_schedule"), [node.schedule_memory[kind] for node in nodes])
        for kind in ("push", "model")
    }
    per_node = {
        name: stacked(getattr(before, name), [getattr(node, name) for node in nodes])
        for name in ("params", "opt_state", "embeddings", "embedded_at", "age", "wakes")
    }
    num_idle = np.sum([node.num_idle for node in nodes], axis=0)
    num_excess = [sum(node.num_excess[kind] for node in nodes) for kind in ("push", "model")]
    flying = [message for node in nodes for message in node.incoming]
    return replace(
        before,
        **per_node,
        tick=jnp.int32(tick),
        num_steps=jnp.asarray(np.array([node.num_steps for node in nodes], np.int32)),
        history=history_of(before, [message for message in flying if message.kind != "model"]),
        mailbox=None if before.mailbox is None else mailbox_of(before.mailbox, nodes, flying),
        samples=None if before.samples is None else samples_of(before.samples, nodes),
        pushes=None if before.pushes is None else pushes_of(before.pushes, flying),
        models=models_of(before, nodes, flying),
        num_idle=as_words(whole(before.num_idle) + num_idle),
        push_schedule=memory["push"],
        model_schedule=memory["model"],
        num_excess=as_words(whole(before.num_excess) + num_excess),
        num_unplaced=as_words(whole(before.num_unplaced) + sum(node.num_unplaced for node in nodes)),
        num_crowded=before.num_crowded + jnp.int32(num_crowded),
        accounts=Accounts(words=as_words([table_of(node.accounts) for node in nodes])),
    )


def stacked(like: Any, rows: Sequence[Any]) -> Any:
    """Puts the trees of all nodes side by side, in the dtypes of `like`."""

    def of_leaf(leaf: jax.Array, *parts: Any) -> jax.Array:
        return jnp.stack(parts) if is_key(leaf) else jnp.asarray(np.stack([*map(np.asarray, parts)]), leaf.dtype)

    return jax.tree.map(of_leaf, like, *rows)


def table_of(accounts: Counter[tuple[str, str]]) -> list[list[int]]:
    """A node's accounts by kind and outcome."""
    return [[accounts[kind, outcome] for outcome in OUTCOMES] for kind in KINDS]


def as_words(numbers: Any) -> jax.Array:
    """Numbers as high and low word [..., 2] uint32."""
    numbers = np.asarray(numbers, np.int64)
    return jnp.asarray(np.stack([numbers >> 32, numbers & 0xFFFFFFFF], axis=-1).astype(np.uint32))


def history_of(before: State, messages: list[Message]) -> tuple[jax.Array, ...] | None:
    """The embeddings that messages on their way carry, each where it is looked for."""
    if before.history is None:
        return None
    history = [np.zeros(layer.shape, layer.dtype) for layer in before.history]
    for message in messages:
        for layer, embedding in zip(history, message.payload, strict=True):
            layer[message.src, message.tick_sent % layer.shape[1]] = embedding
    return tuple(jnp.asarray(layer) for layer in history)


def mailbox_of(before: Mailbox, nodes: list[Node], flying: list[Message]) -> Mailbox:
    """What has come over each edge, and what is on its way."""
    entries = [np.zeros(layer.shape, layer.dtype) for layer in before.entries]
    version = np.full(before.version.shape, -1, np.int32)
    for node in nodes:
        for edge, message in node.mailbox.items():
            version[edge] = message.tick_sent
            for layer, embedding in zip(entries, message.payload, strict=True):
                layer[edge] = embedding
    delays = np.array(nothing_sent(before.delays.shape, before.max_delay))
    for message in flying:
        if message.kind == "embedding":
            delays[message.edge, message.tick_sent % delays.shape[1]] = message.tick_due - message.tick_sent - 1
    return Mailbox(
        entries=tuple(jnp.asarray(layer) for layer in entries),
        version=jnp.asarray(version),
        delays=jnp.asarray(delays),
    )


def samples_of(before: SampleBuffer, nodes: list[Node]) -> SampleBuffer:
    """The sample buffers."""
    entries = [np.zeros(layer.shape, layer.dtype) for layer in before.entries]
    for node in nodes:
        for slot, message in enumerate(node.samples):
            for layer, embedding in zip(entries, message.payload, strict=True):
                layer[node.number, slot] = embedding
    return SampleBuffer(
        entries=tuple(jnp.asarray(layer) for layer in entries),
        next_slot=jnp.array([node.next_slot for node in nodes], jnp.int32),
        num_samples=jnp.array([len(node.samples) for node in nodes], jnp.int32),
    )


def pushes_of(before: PushFlight, flying: list[Message]) -> PushFlight:
    """The pushes on their way."""
    num_nodes, depth, num_slots = before.dst.shape
    nothing = no_pushes(num_nodes, num_slots, before.max_delay)
    dst, rank, delay = np.array(nothing.dst), np.array(nothing.rank), np.array(nothing.delay)
    for message in flying:
        if message.kind == "push":
            where = message.src, message.tick_sent % depth, message.slot % num_slots
            dst[where], rank[where] = message.dst, message.rank
            delay[where] = message.tick_due - message.tick_sent - 1
    return PushFlight(dst=jnp.asarray(dst), rank=jnp.asarray(rank), delay=jnp.asarray(delay))


def models_of(before: State, nodes: list[Node], flying: list[Message]) -> ModelFlight | ModelPool | None:
    """The models on their way, waiting or kept."""
    messages = [message for message in flying if message.kind == "model"]
    if isinstance(before.models, ModelPool):
        return pool_of(before.models, nodes, messages)
    return None if before.models is None else flight_of(before.models, messages)


def flight_of(before: ModelFlight, messages: list[Message]) -> ModelFlight:
    """Models on their way."""
    num_nodes, num_slots = before.dst.shape
    nothing = no_flight(num_nodes, num_slots)
    dst, rank, is_sent = np.array(nothing.dst), np.array(nothing.rank), np.array(nothing.is_sent)
    for message in messages:
        where = message.src, message.slot % num_slots
        dst[where], rank[where], is_sent[where] = message.dst, message.rank, True
    return ModelFlight(dst=jnp.asarray(dst), rank=jnp.asarray(rank), is_sent=jnp.asarray(is_sent))


def pool_of(before: ModelPool, nodes: list[Node], flying: list[Message]) -> ModelPool:
    """A pool whose first places are taken."""
    pool = jax.tree.map(np.array, before)
    pool.is_free[:], pool.inbox[:], pool.dst[:] = True, pool.num_places, len(nodes)
    if pool.kept is not None:
        pool.kept[:] = pool.num_places
    places = iter(range(pool.num_places))

    def put(message: Message, dst: int) -> int:
        place = next(places)
        fields = ("age", "src", "tick_sent", "tick_due", "rank", "slot")
        for name in fields:
            getattr(pool, name)[place] = getattr(message, name)
        pool.dst[place], pool.is_free[place] = dst, False
        for rows, leaf in zip(jax.tree.leaves(pool.params), jax.tree.leaves(message.payload), strict=True):
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
