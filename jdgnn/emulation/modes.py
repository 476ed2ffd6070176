"""Which buffers an emulation needs: where nothing can be late, dropped or asleep, there is nothing to hold."""

from jdgnn.protocol.events import Traffic


def has_mailbox(traffic: Traffic) -> bool:
    """Whether what came over an edge can differ from what its sender holds.

    It cannot where all is sent, nothing is dropped or late, everybody is online, asleep or awake, and all links are up.
    """
    publish, availability = traffic.publish, traffic.availability
    is_partial = availability.can_be_offline or availability.can_be_down
    return publish.schedule is not None or not publish.link.is_perfect or is_partial


def history_depth(traffic: Traffic) -> int:
    """How many ticks of embeddings are held for messages on their way; 0 where what senders hold is enough."""
    pushes = 0 if traffic.push is None else traffic.push.link.max_delay
    longest = max(traffic.publish.link.max_delay, pushes)
    return longest + 1 if longest else 0
