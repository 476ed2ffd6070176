"""Transports of models from node to node, one file each."""

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
    """The transport of models: a pool if they can wait, else flight; None if none are sent."""
    if traffic.gossip is None:
        return None
    return POOL if has_pool(traffic) else FLIGHT


def has_pool(traffic: Traffic) -> bool:
    """Whether messages need their own places: they can wait, or differ from the models that their senders hold."""
    gossip, availability = traffic.gossip, traffic.availability
    if gossip is None:
        return False
    # Models wait if they are late, if receivers are asleep or offline, or if they are passed on later.
    can_wait = availability.can_sleep or availability.can_be_offline or gossip.link.max_delay > 0 or gossip.pass_through
    return can_wait or gossip.content is not None or traffic.attackers is not None
