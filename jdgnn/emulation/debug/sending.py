"""What one node sends at the end of its wake, and how it gets on its way."""

from typing import Any

import jax.numpy as jnp

from jdgnn.emulation.debug.message import Message
from jdgnn.emulation.debug.node import Node, Surroundings
from jdgnn.emulation.modes import has_pool
from jdgnn.protocol.schedules import Schedule


def send(around: Surroundings, node: Node, num_merged: int) -> list[Message]:
    """Sends embeddings, pushes and models, and counts the wake; gives what gets on its way.

    Args:
      around: what is outside the node.
      node: the node.
      num_merged: models it merged in this wake.

    Returns:
      The messages that are not lost.
    """
    messages = [*send_embeddings(around, node), *send_pushes(around, node, num_merged)]
    messages += send_models(around, node, num_merged)
    node.wakes += 1
    return messages


def send_embeddings(around: Surroundings, node: Node) -> list[Message]:
    """Sends the new embeddings to all graph neighbours."""
    schedule = around.emulator.traffic.publish.schedule
    if schedule is not None and schedule.decide((), jnp.int32(node.wakes), jnp.int32(0), None, 1) <= 0:
        return []
    node.accounts["embedding", "sent"] += len(node.out_edges)
    messages = []
    for edge, dst in node.out_edges.items():
        if is_lost(around, node, "embedding", edge):
            continue
        tick_due = around.tick + 1 + delay(around, "embedding", edge)
        messages.append(
            Message(
                kind="embedding",
                src=node.number,
                dst=dst,
                tick_sent=around.tick,
                tick_due=tick_due,
                payload=node.embeddings,
                edge=edge,
            )
        )
    return messages


def send_pushes(around: Surroundings, node: Node, num_merged: int) -> list[Message]:
    """Pushes the new embeddings to random nodes."""
    push = around.emulator.push
    if push is None:
        return []
    return [
        to_peer(around, node, "push", column, node.embeddings)
        for column in scheduled(around, node, "push", push.schedule, num_merged)
        if not is_lost(around, node, "push", (node.number, column))
    ]


def send_models(around: Surroundings, node: Node, num_merged: int) -> list[Message]:
    """Sends the model as it is at the end of the wake; the first one is that to be passed on, if there is one."""
    gossip = around.emulator.gossip
    if gossip is None:
        return []
    messages = []
    for column in scheduled(around, node, "model", gossip.schedule, num_merged):
        kept, node.kept = node.kept, None
        if is_lost(around, node, "model", (node.number, column)):
            continue
        if kept is None:
            messages.append(to_peer(around, node, "model", column, node.params, node.age))
        else:
            messages.append(to_peer(around, node, "model", column, kept.payload, kept.age, is_passed_on=True))
    return messages


def scheduled(around: Surroundings, node: Node, kind: str, schedule: Schedule, num_merged: int) -> list[int]:
    """Which of the candidates of this kind are sent: the first that the schedule wants, where they go to somebody."""
    dst = getattr(around.events, f"{kind}_dst")[node.number]
    uniforms = getattr(around.events, f"{kind}_uniform")
    drawn = None if uniforms is None else jnp.asarray(uniforms[node.number])
    memory = node.schedule_memory[kind]
    wanted = int(schedule.decide(memory, jnp.int32(node.wakes), jnp.int32(num_merged), drawn, len(dst)))
    sent = [column for column in range(min(wanted, len(dst))) if dst[column] < around.topology.num_nodes]
    node.schedule_memory[kind] = schedule.settle(memory, jnp.int32(len(sent)))
    node.num_excess[kind] += max(wanted - len(dst), 0)
    node.accounts[kind, "sent"] += len(sent)
    return sent


def is_lost(around: Surroundings, node: Node, kind: str, which: Any) -> bool:
    """Whether a message is lost on the way; if so, it is booked."""
    lost = getattr(around.events, f"{kind}_lost")
    if lost is None or not lost[which]:
        return False
    node.accounts[kind, "lost"] += 1
    return True


def delay(around: Surroundings, kind: str, which: Any) -> int:
    """How late a message is."""
    delays = getattr(around.events, f"{kind}_delay")
    return 0 if delays is None else int(delays[which])


def to_peer(
    around: Surroundings,
    node: Node,
    kind: str,
    column: int,
    payload: tuple[Any, ...],
    age: int = 0,
    is_passed_on: bool = False,
) -> Message:
    """A push or a model to the peer drawn for a column of the candidates."""
    which, dst = (node.number, column), getattr(around.events, f"{kind}_dst")
    return Message(
        kind=kind,
        src=node.number,
        dst=int(dst[which]),
        tick_sent=around.tick,
        tick_due=around.tick + 1 + delay(around, kind, which),
        payload=payload,
        age=age,
        rank=int(getattr(around.events, f"{kind}_rank")[which]),
        slot=node.number * dst.shape[1] + column,
        is_passed_on=is_passed_on,
    )


def dispatch(around: Surroundings, nodes: list[Node], messages: list[Message]) -> None:
    """Puts messages on their way; models for which there is no room are displaced, those of the highest rank first."""
    new_models = sorted(
        (one for one in messages if one.kind == "model" and not one.is_passed_on), key=lambda one: one.order
    )
    for one in messages:
        if one.kind != "model" or one.is_passed_on:
            nodes[one.dst].incoming.append(one)
    room = num_free_places(around, nodes)
    for one in new_models[:room]:
        nodes[one.dst].incoming.append(one)
    for one in new_models[len(new_models) if room is None else room :]:
        nodes[one.src].accounts["model", "displaced"] += 1
        nodes[one.src].num_unplaced += 1


def num_free_places(around: Surroundings, nodes: list[Node]) -> int | None:
    """For how many more models there is room; None where it cannot run out."""
    gossip = around.emulator.gossip
    if gossip is None or gossip.pool is None or not has_pool(around.emulator.traffic):
        return None
    num_taken = sum(
        len(node.inbox) + (node.kept is not None) + sum(one.kind == "model" for one in node.incoming) for node in nodes
    )
    return gossip.num_places(len(nodes)) - num_taken
