"""What is sent unasked, to whom and how often: pushes of embeddings, gossip of models."""

from typing import Any

from flax import struct

from jdgnn.checks import check_count
from jdgnn.errors import InputError
from jdgnn.parts import as_argument
from jdgnn.protocol.merging import MergeRule, average
from jdgnn.protocol.peers import PeerSampler, uniform


@struct.dataclass(kw_only=True)
class Push:
    """How embeddings are pushed to random nodes, which keep them as samples. Made by `push`."""

    peers: PeerSampler
    fanout: int = struct.field(pytree_node=False)
    capacity: int = struct.field(pytree_node=False)
    every: int  # traced
    phase: int  # traced


@struct.dataclass(kw_only=True)
class Gossip:
    """How models are sent to random nodes, which merge them into their own. Made by `gossip`."""

    peers: PeerSampler
    merge: MergeRule
    fanout: int = struct.field(pytree_node=False)
    capacity: int = struct.field(pytree_node=False)
    every: int  # traced
    phase: int  # traced


def push(fanout: int = 8, capacity: int = 16, every: int = 1, phase: int = 0, peers: PeerSampler | None = None) -> Push:
    """Says how embeddings are pushed: the newest embeddings of all layers go to `fanout` random nodes.

    Args:
      fanout: pushes per sending wake. A node gets as many on average, so capacity / fanout is the age its samples
        reach; with old samples contrastive objectives learn to flee where others were, and end below no learning.
      capacity: C, how many pushed embeddings a node keeps; a full buffer loses its oldest.
      every: k, a node pushes at wakes w with (w − phase) mod k = 0.
      phase: see `every`.
      peers: who gets them; uniform if None.

    Returns:
      The setting, for `Emulator(push=...)`.

    Raises:
      InputError: a number makes no sense.

    Example:
      >>> push(fanout=2, capacity=32).capacity
      32
    """
    check_count("fanout", fanout)
    check_count("capacity", capacity)
    _check_schedule(every, phase)
    return Push(peers=_checked_peers(peers), fanout=fanout, capacity=capacity, every=every, phase=phase)


def gossip(
    capacity: int = 1,
    every: int = 1,
    phase: int = 0,
    peers: PeerSampler | None = None,
    merge: MergeRule | None = None,
) -> Gossip:
    """Says how models spread: a node sends its parameters and their age to one random node, which merges them.

    Args:
      capacity: M, models that can wait in an inbox; a full inbox loses its oldest.
      every: k, a node sends at wakes w with (w − phase) mod k = 0.
      phase: see `every`.
      peers: who gets them; uniform if None.
      merge: how they are merged; average if None.

    Returns:
      The setting, for `Emulator(gossip=...)`.

    Raises:
      InputError: a number makes no sense.

    Example:
      >>> gossip(every=5).every
      5
    """
    check_count("capacity", capacity)
    _check_schedule(every, phase)
    if merge is not None and not isinstance(merge, MergeRule):
        raise InputError(f"merge: got {merge!r}, and a rule such as jdgnn.merging.average() is needed")
    return Gossip(
        peers=_checked_peers(peers),
        merge=as_argument(average() if merge is None else merge),
        fanout=1,
        capacity=capacity,
        every=every,
        phase=phase,
    )


def is_sending(setting: Push | Gossip, wakes: Any) -> Any:
    """Whether a node that has woken `wakes` times before this wake sends now."""
    return (wakes - setting.phase) % setting.every == 0


def _check_schedule(every: int, phase: int) -> None:
    check_count("every", every)
    check_count("phase", phase, minimum=0)
    if phase >= every:
        raise InputError(f"phase: got {phase}, and a whole number below every = {every} is needed")


def _checked_peers(peers: PeerSampler | None) -> PeerSampler:
    if peers is not None and not isinstance(peers, PeerSampler):
        raise InputError(f"peers: got {peers!r}, and a sampler such as jdgnn.peers.uniform() is needed")
    return as_argument(uniform() if peers is None else peers)
