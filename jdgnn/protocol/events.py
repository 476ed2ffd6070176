"""All randomness of one tick, drawn before any arithmetic.

Axes: N nodes, E directed edges, S pushes per node, R models per node, M models in an inbox, K positives.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.errors import InputError
from jdgnn.network.topology import Topology
from jdgnn.parts import described, failures_named
from jdgnn.protocol.availability import Attendance, Availability, sample_attendance
from jdgnn.protocol.draws import below
from jdgnn.protocol.links import DelayModel, Link, LossModel, Messages
from jdgnn.protocol.peers import PeerSampler
from jdgnn.protocol.schedules import Schedule
from jdgnn.protocol.traffic import Gossip, Publish, Push


@struct.dataclass(kw_only=True)
class Events:
    """Every random decision of one tick as plain arrays; what follows is deterministic arithmetic.

    None stands where nothing is drawn, since it cannot matter: everybody is there, nothing is lost or late.
    Destinations are *candidates*: which of them are sent is decided by the schedule. Messages that reach one node in
    the same tick are taken in order of (tick sent, rank, slot), where the slot of the s-th candidate of node v is
    v·S + s; so no node's number favours it.
    """

    joined: jax.Array | None  # [N] bool: has joined, now or before; None = all
    online: jax.Array | None  # [N] bool; None = all
    wake: jax.Array | None  # [N] bool: drawn to wake; None = all
    embedding_lost: jax.Array | None  # [E] bool: what is sent over each edge in this tick; None = nothing
    embedding_delay: jax.Array | None  # [E] int32, ticks; None = 0
    push_dst: jax.Array  # [N, S] int32: who gets each push; N = nobody
    push_rank: jax.Array  # [N, S] uint32
    push_lost: jax.Array | None  # [N, S] bool
    push_delay: jax.Array | None  # [N, S] int32
    push_uniform: jax.Array | None  # [N, 1+M] float32, for schedules that draw
    model_dst: jax.Array  # [N, R] int32: who gets each model; N = nobody
    model_rank: jax.Array  # [N, R] uint32
    model_lost: jax.Array | None  # [N, R] bool
    model_delay: jax.Array | None  # [N, R] int32
    model_uniform: jax.Array | None  # [N, 1+M] float32
    accept_uniform: jax.Array | None  # [N, M] float32, for each model of an inbox, oldest first
    positives: jax.Array  # [N, K] int32: in-edges whose senders are this tick's positives; E = none
    key: jax.Array  # a PRNG key, from which `node_keys` makes those of objectives that draw


NUM_KEYS = 7  # that each tick's draws are made with


class Traffic(NamedTuple):
    """All that decides who takes part and what is sent."""

    availability: Availability
    publish: Publish
    push: Push | None
    gossip: Gossip | None

    @property
    def inbox_capacity(self) -> int:
        """Room in an inbox, M."""
        return 0 if self.gossip is None else self.gossip.capacity


class Sizes(NamedTuple):
    """Counts and bytes that events depend on."""

    num_positives: int
    embedding_bytes: int
    model_bytes: int


def sample_events(
    key: jax.Array, tick: jax.Array, topology: Topology, traffic: Traffic, sizes: Sizes, memory: tuple[Any, ...]
) -> tuple[tuple[Any, ...], Events]:
    """Draws all random decisions of one tick.

    Args:
      key: the run's key.
      tick: number of the tick; the same key and tick give the same events.
      topology: the links.
      traffic: who takes part and what is sent.
      sizes: K and the sizes of messages.
      memory: what clocks and presence remember.

    Returns:
      What they remember then, and the events.
    """
    _, publish_key, push_key, model_key, accept_key, positives_key, objective_key = _tick_keys(key, tick)
    num_nodes, inbox_capacity, gossip = topology.num_nodes, traffic.inbox_capacity, traffic.gossip
    memory, attendance = draw_attendance(key, tick, topology, traffic.availability, memory)
    joined = jnp.ones(num_nodes, bool) if attendance.joined is None else attendance.joined
    edge = jnp.arange(topology.num_edges, dtype=jnp.int32)
    over_edges = Messages(topology.senders, topology.receivers, edge, sizes.embedding_bytes, tick, topology)
    embedding_lost, embedding_delay = sample_link("publish", traffic.publish.link, publish_key, over_edges)
    setting = (topology, tick, joined, inbox_capacity)
    events = Events(
        joined=attendance.joined,
        online=attendance.online,
        wake=attendance.wake,
        embedding_lost=embedding_lost,
        embedding_delay=embedding_delay,
        **_candidates("push", push_key, traffic.push, *setting, sizes.embedding_bytes),
        **_candidates("model", model_key, gossip, *setting, sizes.model_bytes),
        accept_uniform=None
        if gossip is None or gossip.acceptance.probability is None
        else jax.random.uniform(accept_key, (num_nodes, inbox_capacity), jnp.float32),
        positives=choose_in_edges(positives_key, topology, sizes.num_positives),
        key=objective_key,
    )
    return memory, events


def draw_attendance(
    key: jax.Array, tick: jax.Array, topology: Topology, availability: Availability, memory: tuple[Any, ...]
) -> tuple[tuple[Any, ...], Attendance]:
    """Draws who is there and awake in one tick: that part of `sample_events` which remembers something.

    Args:
      key: the run's key.
      tick: number of the tick.
      topology: the links.
      availability: clocks and presence.
      memory: what they remember.

    Returns:
      What they remember then, and who takes part.
    """
    return sample_attendance(availability, _tick_keys(key, tick)[0], tick, topology.num_nodes, memory)


def _tick_keys(key: jax.Array, tick: jax.Array) -> jax.Array:
    return jax.random.split(jax.random.fold_in(key, tick), NUM_KEYS)


@jax.jit
def event_keys(key: jax.Array, ticks: jax.Array) -> jax.Array:
    """`Events.key` of several ticks [T], from the run's key."""
    return jax.lax.map(lambda tick: _tick_keys(key, tick)[-1], ticks)


def node_keys(events: Events, layer: int, num_nodes: int) -> jax.Array:
    """A key for the objective of one layer at each node [N]."""
    return jax.random.split(jax.random.fold_in(events.key, layer), num_nodes)


def _candidates(
    kind: str,
    key: jax.Array,
    setting: Push | Gossip | None,
    topology: Topology,
    tick: jax.Array,
    joined: jax.Array,
    inbox_capacity: int,
    num_bytes: int,
) -> dict[str, Any]:
    """Draws what concerns pushes or models, by the names of `Events`."""
    dst_key, rank_key, link_key, schedule_key = jax.random.split(key, 4)
    what = "gossip" if kind == "model" else kind
    dst = destinations(what, dst_key, topology, setting, joined)
    lost = delay = uniform = None
    if setting is not None:
        node = jnp.arange(topology.num_nodes, dtype=jnp.int32)[:, None]
        messages = Messages(jnp.broadcast_to(node, dst.shape), dst, None, num_bytes, tick, topology)
        lost, delay = sample_link(what, setting.link, link_key, messages)
        uniform = _schedule_uniform(schedule_key, setting.schedule, topology.num_nodes, inbox_capacity)
    drawn = {
        "dst": dst,
        "rank": jax.random.bits(rank_key, dst.shape, jnp.uint32),
        "lost": lost,
        "delay": delay,
        "uniform": uniform,
    }
    return {f"{kind}_{name}": value for name, value in drawn.items()}


def _schedule_uniform(key: jax.Array, schedule: Schedule, num_nodes: int, inbox_capacity: int) -> jax.Array | None:
    return jax.random.uniform(key, (num_nodes, 1 + inbox_capacity), jnp.float32) if schedule.is_random else None


def sample_link(what: str, link: Link, key: jax.Array, messages: Messages) -> tuple[jax.Array | None, jax.Array | None]:
    """Draws which messages are lost, and how late the others are.

    Args:
      what: what the link is one of, as errors should name it: publish, push or gossip.
      link: the link.
      key: what to draw with.
      messages: what is sent.

    Returns:
      A mask and ticks from 0 to the link's longest delay, in the shape of the destinations; None where the link
      loses nothing, or delays nothing.

    Raises:
      InputError: a part of the link fails, or gives no mask, or no whole numbers.
    """
    loss_key, split_key, delay_key = jax.random.split(key, 3)
    lost = None
    for name, part, part_key in (("loss", link.loss, loss_key), ("split", link.split, split_key)):
        if part is not None:
            mask = _drawn(f"{what}.link.{name}", part, part_key, messages)
            lost = mask if lost is None else lost | mask
    if link.max_delay == 0 or link.delay is None:
        return lost, None
    delay = _drawn(f"{what}.link.delay", link.delay, delay_key, messages)
    return lost, jnp.clip(delay, 0, link.max_delay).astype(jnp.int32)


def _drawn(what: str, part: LossModel | DelayModel, key: jax.Array, messages: Messages) -> jax.Array:
    """What a part of a link draws for each message."""
    drawn, given = _sampled(what, part, key, messages)
    is_loss, shape = isinstance(part, LossModel), messages.dst.shape
    if not _broadcasts(given, shape) or not jnp.issubdtype(given.dtype, jnp.bool_ if is_loss else jnp.integer):
        wanted = "True or False" if is_loss else "one whole number of ticks"
        raise InputError(f"{what}: sample gives {described(given)}, and {wanted} per message is needed")
    return jnp.broadcast_to(drawn, shape)


def _sampled(what: str, part: LossModel | DelayModel | PeerSampler, *arguments: Any) -> tuple[Any, Any]:
    """What a part draws, and the shapes of it."""
    with failures_named(what):
        drawn = part.sample(*arguments)
        return drawn, jax.eval_shape(lambda: drawn)


def _broadcasts(given: Any, shape: tuple[int, ...]) -> bool:
    if not isinstance(given, jax.ShapeDtypeStruct) or len(given.shape) > len(shape):
        return False
    pairs = zip(reversed(given.shape), reversed(shape), strict=False)
    return all(length in (1, wanted) for length, wanted in pairs)


def destinations(
    what: str, key: jax.Array, topology: Topology, setting: Push | Gossip | None, joined_mask: jax.Array
) -> jax.Array:
    """Draws who gets each candidate push or model [N, slots]; whatever is no other node becomes N, nobody.

    Args:
      what: what the setting is, as errors should name it: push or gossip.
      key: what to draw with.
      topology: the links.
      setting: who is drawn and how many; None for nobody.
      joined_mask: who has joined [N].

    Returns:
      Receivers, int32.

    Raises:
      InputError: the peer sampler fails, or gives no node number per node and slot.
    """
    if setting is None:
        return jnp.zeros((topology.num_nodes, 0), jnp.int32)
    num_nodes = topology.num_nodes
    drawn, given = _sampled(f"{what}.peers", setting.peers, key, topology, joined_mask, setting.fanout)
    is_fitting = isinstance(given, jax.ShapeDtypeStruct) and given.shape == (num_nodes, setting.fanout)
    if not is_fitting or not jnp.issubdtype(given.dtype, jnp.integer):
        raise InputError(
            f"{what}.peers: sample gives {described(given)}, and one node number per node and slot, "
            f"integers [{num_nodes}, {setting.fanout}], is needed"
        )
    dst = jnp.asarray(drawn).astype(jnp.int32)
    is_somebody = (dst >= 0) & (dst < num_nodes) & (dst != jnp.arange(num_nodes, dtype=jnp.int32)[:, None])
    return jnp.where(is_somebody, dst, num_nodes)


def choose_in_edges(key: jax.Array, topology: Topology, num_choices: int) -> jax.Array:
    """Chooses in-edges of each node without replacement, every set equally likely; all if there are too few.

    Floyd's algorithm (Bentley & Floyd, "A Sample of Brilliance", CACM 1987), for all nodes at once.

    Args:
      key: what to draw with.
      topology: the links.
      num_choices: K.

    Returns:
      Edge numbers [N, K] int32; E stands for none.
    """
    degree = topology.in_degree
    last = jnp.maximum(degree[:, None] - num_choices, 0) + jnp.arange(num_choices, dtype=jnp.int32)
    drawn = below(key, last.shape, last + 1)
    column = jnp.arange(num_choices, dtype=jnp.int32)

    def choose(i: jax.Array, chosen: jax.Array) -> jax.Array:
        is_taken = jnp.any((chosen == drawn[:, i, None]) & (column < i), axis=1)
        pick = jnp.where(is_taken | (degree <= num_choices), last[:, i], drawn[:, i])
        return chosen.at[:, i].set(pick)

    chosen = jax.lax.fori_loop(0, num_choices, choose, last)  # all in-edges, where there are no more than K
    return jnp.where(chosen < degree[:, None], topology.in_offset[:, None] + chosen, topology.num_edges)
