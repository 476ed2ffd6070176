"""All randomness of one tick, drawn before any arithmetic.

Axes: N nodes, E directed edges, S pushes per node, R models per node, M models in an inbox, K positives.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.errors import InputError
from jdgnn.network.topology import Topology
from jdgnn.parts import described
from jdgnn.protocol.availability import Availability, init_availability, sample_attendance
from jdgnn.protocol.draws import below
from jdgnn.protocol.link_draws import sample_link, sample_link_up, sampled
from jdgnn.protocol.links import Messages
from jdgnn.protocol.roles import Attackers
from jdgnn.protocol.schedules import Schedule
from jdgnn.protocol.traffic import Gossip, Publish, Push


@struct.dataclass(kw_only=True)
class Events:
    """Every random decision of one tick as plain arrays; the rest of the tick is deterministic arithmetic.

    A field is None where nothing has to be drawn: all nodes are online, all links are up, nothing is dropped or late.
    Destinations are *candidates*: the schedule decides how many of them are sent. Messages that reach one node in the
    same tick are taken in order of (tick sent, rank, slot), where the slot of the s-th candidate of node v is v·S + s.
    Ranks are random, so that no node's number gives it an advantage.
    """

    joined: jax.Array | None  # [N] bool: has joined, now or before; None = all
    online: jax.Array | None  # [N] bool; None = all
    wake: jax.Array | None  # [N] bool: drawn to wake; None = all
    link_up: jax.Array | None = None  # [E] bool; None = all
    embedding_dropped: jax.Array | None  # [E] bool: of messages sent in this tick; None = none
    embedding_delay: jax.Array | None  # [E] int32, ticks; None = 0
    push_dst: jax.Array  # [N, S] int32: receiver of each push; N = no recipient
    push_rank: jax.Array  # [N, S] uint32
    push_dropped: jax.Array | None  # [N, S] bool
    push_delay: jax.Array | None  # [N, S] int32
    push_uniform: jax.Array | None  # [N, 1+M] float32, for schedules that draw
    model_dst: jax.Array  # [N, R] int32: receiver of each model; N = no recipient
    model_rank: jax.Array  # [N, R] uint32
    model_dropped: jax.Array | None  # [N, R] bool
    model_delay: jax.Array | None  # [N, R] int32
    model_uniform: jax.Array | None  # [N, 1+M] float32
    accept_uniform: jax.Array | None  # [N, M] float32, for each model of an inbox, oldest first
    positives: jax.Array  # [N, K] int32: in-edges from this tick's positives; E = none
    key: jax.Array  # a PRNG key; `node_keys` derives those of objectives that draw


NUM_KEYS = 7  # for the draws of a tick
CONTENT, ATTACK = 2**29, 2**29 + 1  # purposes of `node_keys`; layers have smaller numbers
# This number is folded into keys that are otherwise only split, and into far fewer. So draws for links are independent
# of all others, and a link model changes no other draw.
OF_LINKS = 0x6C696E6B


class Traffic(NamedTuple):
    """The settings that decide who takes part in a tick and what is sent."""

    availability: Availability
    publish: Publish
    push: Push | None
    gossip: Gossip | None
    attackers: Attackers | None = None

    @property
    def inbox_capacity(self) -> int:
        """Places in an inbox, M."""
        return 0 if self.gossip is None else self.gossip.capacity

    def link_memories(self) -> dict[str, Callable[[jax.Array, Topology], Any]]:
        """Functions `(key, topology) -> memory` of all models of links with a memory, by name.

        The name `links` stands for which links are up; `publish`, `push` and `gossip` for the drops of each.
        """
        availability, found = self.availability, {}
        if availability.links is not None and availability.can_be_down:
            found["links"] = availability.links.init
        for name in ("publish", "push", "gossip"):
            setting = getattr(self, name)
            if setting is not None and setting.link.drop is not None and setting.link.drop.init is not None:
                found[name] = partial(_init_drop, setting.link.drop.init, getattr(setting, "fanout", None))
        return found


def _init_drop(init: Callable[..., Any], num_slots: int | None, key: jax.Array, topology: Topology) -> Any:
    return init(key, topology, num_slots)


class Sizes(NamedTuple):
    """The counts and byte sizes that events depend on."""

    num_positives: int
    embedding_bytes: int
    model_bytes: int


class _Around(NamedTuple):
    """The state of the network in which candidates for pushes and models are drawn."""

    topology: Topology
    tick: jax.Array
    joined: jax.Array  # [N] bool
    link_up: jax.Array | None  # [E] bool
    inbox_capacity: int


def init_memory(traffic: Traffic, key: jax.Array, topology: Topology) -> tuple[Any, ...]:
    """Initial memories of clocks and presence; if models of links have memories, a dictionary of these comes last."""
    attending = init_availability(traffic.availability, key, topology.num_nodes)
    key, names = jax.random.fold_in(key, OF_LINKS), ("links", "publish", "push", "gossip")
    of_links = {
        name: init(jax.random.fold_in(key, names.index(name)), topology)
        for name, init in traffic.link_memories().items()
    }
    return (*attending, of_links) if of_links else attending


def sample_events(
    key: jax.Array, tick: jax.Array, topology: Topology, traffic: Traffic, sizes: Sizes, memory: tuple[Any, ...]
) -> tuple[tuple[Any, ...], Events]:
    """Draws all random decisions of one tick, from the run's key; returns the new memories and the events."""
    here_key, publish_key, push_key, model_key, accept_key, positives_key, objective_key = _tick_keys(key, tick)
    num_nodes, inbox_capacity, gossip = topology.num_nodes, traffic.inbox_capacity, traffic.gossip
    attending, before = (memory[:-1], memory[-1]) if traffic.link_memories() else (memory, {})
    attending, attendance = sample_attendance(traffic.availability, here_key, tick, num_nodes, attending)
    now: dict[str, Any] = {}
    up_key = jax.random.fold_in(here_key, OF_LINKS)
    now["links"], link_up = sample_link_up(traffic.availability.links, up_key, tick, topology, before.get("links"))
    joined = jnp.ones(num_nodes, bool) if attendance.joined is None else attendance.joined
    edge = jnp.arange(topology.num_edges, dtype=jnp.int32)
    over_edges = Messages(topology.senders, topology.receivers, edge, sizes.embedding_bytes, tick, topology)
    now["publish"], embedding_dropped, embedding_delay = sample_link(
        "publish", traffic.publish.link, publish_key, over_edges, before.get("publish")
    )
    around = _Around(topology, tick, joined, link_up, inbox_capacity)
    now["push"], pushes = _candidates("push", push_key, traffic.push, around, sizes.embedding_bytes, before.get("push"))
    now["gossip"], models = _candidates("model", model_key, gossip, around, sizes.model_bytes, before.get("gossip"))
    events = Events(
        joined=attendance.joined,
        online=attendance.online,
        wake=attendance.wake,
        link_up=link_up,
        embedding_dropped=embedding_dropped,
        embedding_delay=embedding_delay,
        **pushes,
        **models,
        accept_uniform=None
        if gossip is None or gossip.acceptance.probability is None
        else jax.random.uniform(accept_key, (num_nodes, inbox_capacity), jnp.float32),
        positives=choose_in_edges(positives_key, topology, sizes.num_positives),
        key=objective_key,
    )
    of_links = {name: now[name] for name in before}
    return (*attending, of_links) if of_links else attending, events


def _tick_keys(key: jax.Array, tick: jax.Array) -> jax.Array:
    return jax.random.split(jax.random.fold_in(key, tick), NUM_KEYS)


@jax.jit
def event_keys(key: jax.Array, ticks: jax.Array) -> jax.Array:
    """`Events.key` of several ticks [T], derived from the run's key."""
    return jax.lax.map(lambda tick: _tick_keys(key, tick)[-1], ticks)


def node_keys(events: Events, purpose: int, num_nodes: int) -> jax.Array:
    """A key for each node [N], for the objective of a layer (by its number), for `CONTENT` or for `ATTACK`."""
    return jax.random.split(jax.random.fold_in(events.key, purpose), num_nodes)


def _candidates(
    kind: str,
    key: jax.Array,
    setting: Push | Gossip | None,
    around: _Around,
    num_bytes: int,
    memory: Any,
) -> tuple[Any, dict[str, Any]]:
    """Draws the fields of `Events` for pushes or models; returns the new memory of the drop model before them."""
    dst_key, rank_key, link_key, schedule_key = jax.random.split(key, 4)
    what, topology = "gossip" if kind == "model" else kind, around.topology
    dst = destinations(what, dst_key, topology, setting, around.joined, around.link_up)
    dropped = delay = uniform = None
    if setting is not None:
        node = jnp.arange(topology.num_nodes, dtype=jnp.int32)[:, None]
        messages = Messages(jnp.broadcast_to(node, dst.shape), dst, None, num_bytes, around.tick, topology)
        memory, dropped, delay = sample_link(what, setting.link, link_key, messages, memory)
        uniform = _schedule_uniform(schedule_key, setting.schedule, topology.num_nodes, around.inbox_capacity)
    drawn = {
        "dst": dst,
        "rank": jax.random.bits(rank_key, dst.shape, jnp.uint32),
        "dropped": dropped,
        "delay": delay,
        "uniform": uniform,
    }
    return memory, {f"{kind}_{name}": value for name, value in drawn.items()}


def _schedule_uniform(key: jax.Array, schedule: Schedule, num_nodes: int, inbox_capacity: int) -> jax.Array | None:
    return jax.random.uniform(key, (num_nodes, 1 + inbox_capacity), jnp.float32) if schedule.is_random else None


def destinations(
    what: str,
    key: jax.Array,
    topology: Topology,
    setting: Push | Gossip | None,
    joined_mask: jax.Array,
    link_up: jax.Array | None = None,
) -> jax.Array:
    """Draws the receiver of each candidate push or model [N, slots] int32; `what` names the setting in errors."""
    if setting is None:
        return jnp.zeros((topology.num_nodes, 0), jnp.int32)
    num_nodes, peers = topology.num_nodes, setting.peers
    among = {"link_up": link_up} if peers.draws_among_links else {}
    drawn, given = sampled(f"{what}.peers", peers.sample, key, topology, joined_mask, setting.fanout, **among)
    is_fitting = isinstance(given, jax.ShapeDtypeStruct) and given.shape == (num_nodes, setting.fanout)
    if not is_fitting or not jnp.issubdtype(given.dtype, jnp.integer):
        raise InputError(
            f"{what}.peers: expected sample to give one node number per node and slot, "
            f"integers [{num_nodes}, {setting.fanout}], got {described(given)}"
        )
    # Any index from a peer sampler that is not another valid node means "no recipient".
    dst = jnp.asarray(drawn).astype(jnp.int32)
    is_somebody = (dst >= 0) & (dst < num_nodes) & (dst != jnp.arange(num_nodes, dtype=jnp.int32)[:, None])
    return jnp.where(is_somebody, dst, num_nodes)


def choose_in_edges(key: jax.Array, topology: Topology, num_choices: int) -> jax.Array:
    """Chooses K in-edges of each node without replacement, or all if there are fewer: [N, K] int32, E for none.

    Every set is equally likely: Floyd's algorithm (Bentley & Floyd, "A Sample of Brilliance", CACM 1987) for all nodes
    at once.
    """
    degree = topology.in_degree
    last = jnp.maximum(degree[:, None] - num_choices, 0) + jnp.arange(num_choices, dtype=jnp.int32)
    drawn = below(key, last.shape, last + 1)
    column = jnp.arange(num_choices, dtype=jnp.int32)

    def choose(i: jax.Array, chosen: jax.Array) -> jax.Array:
        is_taken = jnp.any((chosen == drawn[:, i, None]) & (column < i), axis=1)
        pick = jnp.where(is_taken | (degree <= num_choices), last[:, i], drawn[:, i])
        return chosen.at[:, i].set(pick)

    chosen = jax.lax.fori_loop(0, num_choices, choose, last)  # `last` has all in-edges if there are at most K
    return jnp.where(chosen < degree[:, None], topology.in_offset[:, None] + chosen, topology.num_edges)
