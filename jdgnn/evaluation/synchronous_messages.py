"""How many messages nodes send that are always awake, without a run.

Axes: N nodes, T ticks.
"""

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from jdgnn.emulator import Emulator
from jdgnn.errors import InputError
from jdgnn.network.network import Network
from jdgnn.network.topology import Topology, topology
from jdgnn.protocol.events import destinations
from jdgnn.protocol.schedules import Schedule
from jdgnn.protocol.traffic import Gossip, Push

DRAWS = 8  # in which a sampler must find somebody for every node
_INSTEAD = "give the state of a run, whose accounts have it"


def synchronous_messages(emulator: Emulator, network: Network, ticks: int) -> dict[str, NDArray[np.int64]]:
    """How many messages each node sends in its first ticks.

    Args:
      emulator: all that decides what is sent.
      network: the network.
      ticks: T.

    Returns:
      Messages of each node [N] by kind: `embedding`, `push` and `model`.

    Raises:
      InputError: nodes may sleep or be offline, links may be down, a schedule goes by more than the number of the
        wake, or a node finds nobody to send to.

    Example:
      >>> import jdgnn
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(), optimizer=jdgnn.adam(1e-2),
      ...     push=jdgnn.push(fanout=3), gossip=jdgnn.gossip(schedule=jdgnn.schedules.every(4)))
      >>> {kind: int(sent[0]) for kind, sent in synchronous_messages(emulator, jdgnn.generators.ring(6), 10).items()}
      {'embedding': 20, 'push': 30, 'model': 3}
    """
    availability, links = emulator.traffic.availability, topology(network)
    if availability.can_sleep or availability.can_be_offline:
        raise InputError(f"emulator: its nodes are not always awake, so that what they send is drawn; {_INSTEAD}")
    if availability.can_be_down:
        raise InputError(f"emulator: its links are not always up, so that what is sent over them is drawn; {_INSTEAD}")
    assert emulator.publish is not None
    schedule = emulator.publish.schedule
    num_published = ticks if schedule is None else int((_wanted("publish", schedule, 1, 0, ticks) > 0).sum())
    return {
        "embedding": num_published * np.asarray(links.out_degree, np.int64),
        "push": _to_peers("push", emulator.push, links, emulator.traffic.inbox_capacity, ticks),
        "model": _to_peers("gossip", emulator.gossip, links, emulator.traffic.inbox_capacity, ticks),
    }


def _to_peers(
    what: str, setting: Push | Gossip | None, links: Topology, inbox_capacity: int, ticks: int
) -> NDArray[np.int64]:
    """Messages of each node [N] to peers that are drawn."""
    if setting is None:
        return np.zeros(links.num_nodes, np.int64)
    everybody = jnp.ones(links.num_nodes, bool)
    for key in jax.random.split(jax.random.key(0), DRAWS):
        dst = destinations(what, key, links, setting, everybody)
        alone = np.flatnonzero((np.asarray(dst) >= links.num_nodes).any(axis=1))
        if not len(alone):
            continue
        raise InputError(f"emulator: in {what}, node {alone[0]} can find nobody to send to; {_INSTEAD}")
    wanted = _wanted(what, setting.schedule, setting.fanout, inbox_capacity, ticks)
    return np.full(links.num_nodes, np.minimum(wanted, setting.fanout).sum(), np.int64)


def _wanted(what: str, schedule: Schedule, num_slots: int, inbox_capacity: int, ticks: int) -> NDArray[np.int64]:
    """How many messages a schedule wants at each wake [T], if it goes by nothing else."""
    by_wake_alone = not schedule.is_random and not jax.tree.leaves(schedule.init())
    if by_wake_alone:
        wakes = jnp.arange(ticks, dtype=jnp.int32)
        unasked, asked = (_decided(schedule, wakes, num_merged, num_slots) for num_merged in (0, inbox_capacity))
        by_wake_alone = np.array_equal(unasked, asked)
    if not by_wake_alone:
        raise InputError(
            f"emulator: {what}.schedule goes by draws, or by what was sent or merged before; {_INSTEAD}, or choose "
            "the schedule every"
        )
    return unasked


def _decided(schedule: Schedule, wakes: jax.Array, num_merged: int, num_slots: int) -> NDArray[np.int64]:
    def decide(wake: jax.Array) -> jax.Array:
        wanted: jax.Array = schedule.decide(schedule.init(), wake, jnp.int32(num_merged), None, num_slots)
        return wanted

    return np.asarray(jax.lax.map(decide, wakes), np.int64)
