"""How models are carried from node to node, one file for each way."""

from jdgnn.protocol.events import Traffic
from jdgnn.protocol.transport.flight import FLIGHT, ModelFlight
from jdgnn.protocol.transport.pool import POOL, ModelPool
from jdgnn.protocol.transport.transport import Dispatch, Transport, Waiting

__all__ = [
    "FLIGHT",
    "POOL",
    "Dispatch",
    "ModelFlight",
    "ModelPool",
    "Transport",
    "Waiting",
    "has_pool",
    "transport_of",
]


def transport_of(traffic: Traffic) -> Transport | None:
    """The way models are carried: in a pool where they can wait, else in flight; None where none are sent."""
    if traffic.gossip is None:
        return None
    return POOL if has_pool(traffic) else FLIGHT


def has_pool(traffic: Traffic) -> bool:
    """Whether messages need places of their own: they can wait, or are not what their senders hold.

    They wait where they are late, their receivers are asleep or offline, or they are passed on later.
    """
    gossip, availability = traffic.gossip, traffic.availability
    if gossip is None:
        return False
    can_wait = availability.can_sleep or availability.can_be_offline or gossip.link.max_delay > 0 or gossip.pass_through
    return can_wait or gossip.content is not None or traffic.attackers is not None
