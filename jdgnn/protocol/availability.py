"""Availability: who is online, who wakes and which links are up in each tick."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.checks import check_flag
from jdgnn.errors import InputError
from jdgnn.parts import as_argument
from jdgnn.protocol.clocks import Clock, always
from jdgnn.protocol.link_presence import LinkPresence
from jdgnn.protocol.presence import Presence


@struct.dataclass(kw_only=True)
class Availability:
    """When nodes are online, when they wake, and when links are up. Made by `availability`.

    An *online* node receives and stores; an *active* one (online and awake) also computes and sends. An offline node
    does nothing, and messages that reach it end as `to_offline`. Nothing is sent over a link that is down.
    """

    clock: Clock
    presence: tuple[Presence, ...]
    on_receipt: bool = struct.field(pytree_node=False)
    links: LinkPresence | None = None  # None: always up

    @property
    def can_sleep(self) -> bool:
        """Whether an online node may be asleep."""
        return self.clock.sample is not None

    @property
    def can_be_offline(self) -> bool:
        """Whether a node may be offline, or may not have joined yet."""
        return bool(self.presence)

    @property
    def can_be_down(self) -> bool:
        """Whether a link may be down."""
        return self.links is not None and self.links.sample is not None


@struct.dataclass(kw_only=True)
class Attendance:
    """The nodes that take part in one tick; None stands for all nodes."""

    joined: jax.Array | None  # [N] bool
    online: jax.Array | None  # [N] bool
    wake: jax.Array | None  # [N] bool


def availability(
    clock: Clock | None = None,
    presence: Presence | Sequence[Presence] = (),
    on_receipt: bool = False,
    links: LinkPresence | None = None,
) -> Availability:
    """Sets when nodes are online and awake, and when the links between them are up.

    Args:
      clock: when online nodes wake; in every tick if None.
      presence: when nodes are online; with several models, a node is online, or has joined, if all of them say so.
      on_receipt: also wake a node in the tick in which a model enters its inbox, and in no later one.
      links: when each link of the network is up, such as `jdgnn.link_presence.markov(50, 10)`; always if None.

    Returns:
      The setting, for `Emulator(availability=...)`.

    Raises:
      InputError: a part is of the wrong kind.

    Example:
      >>> import jdgnn
      >>> availability(jdgnn.clocks.bernoulli(0.5), jdgnn.presence.churn(100, 20)).can_be_offline
      True
    """
    check_flag("on_receipt", on_receipt)
    if clock is not None and not isinstance(clock, Clock):
        raise InputError(f"clock: expected one such as jdgnn.clocks.bernoulli(0.5), got {clock!r}")
    parts = (presence,) if isinstance(presence, Presence) else presence
    if not isinstance(parts, list | tuple) or not all(isinstance(part, Presence) for part in parts):
        raise InputError(f"presence: expected one or several like jdgnn.presence.churn(100, 20), got {presence!r}")
    if links is not None and not isinstance(links, LinkPresence):
        raise InputError(f"links: expected a model such as jdgnn.link_presence.markov(50, 10), got {links!r}")
    return Availability(
        clock=as_argument(always() if clock is None else clock),
        presence=tuple(map(as_argument, parts)),
        on_receipt=on_receipt,
        links=None if links is None or links.sample is None else as_argument(links),
    )


def init_availability(setting: Availability, key: jax.Array, num_nodes: int) -> tuple[Any, ...]:
    """Initial memories of the clock and of presence models; with presence, last a mask of nodes that have joined."""
    parts: tuple[Clock | Presence, ...] = (setting.clock, *setting.presence)
    keys = jax.random.split(key, len(parts))
    memories = tuple(part.init(part_key, num_nodes) for part, part_key in zip(parts, keys, strict=True))
    return (*memories, jnp.zeros(num_nodes, bool)) if setting.presence else memories


def sample_attendance(
    setting: Availability, key: jax.Array, tick: jax.Array, num_nodes: int, memory: tuple[Any, ...]
) -> tuple[tuple[Any, ...], Attendance]:
    """Draws who has joined, who is online and who wakes in this tick; returns the new memories and the attendance."""
    clock_key, *keys = jax.random.split(key, 1 + len(setting.presence))
    clock_memory, *memories = memory
    wake = None
    if setting.clock.sample is not None:
        clock_memory, wake = setting.clock.sample(clock_key, tick, num_nodes, clock_memory)
    if not setting.presence:
        return (clock_memory,), Attendance(joined=None, online=None, wake=wake)
    *memories, joined_before = memories
    drawn = [
        part.sample(part_key, tick, num_nodes, part_memory)
        for part, part_key, part_memory in zip(setting.presence, keys, memories, strict=True)
    ]
    remembered, joined, online = zip(*drawn, strict=True)
    may_join = _all_of(joined)
    is_online = _all_of(online) & may_join
    has_joined = joined_before | is_online | (may_join & (tick == 0))
    return (clock_memory, *remembered, has_joined), Attendance(joined=has_joined, online=is_online, wake=wake)


def _all_of(masks: Sequence[jax.Array]) -> jax.Array:
    return functools.reduce(jnp.logical_and, masks)
