"""The messages that nodes send: embeddings to neighbours, pushes and models; their receivers, schedules and links."""

import dataclasses
import math
from typing import Any

import jax
from flax import struct

from jdgnn.checks import check_count, check_flag, check_number
from jdgnn.errors import InputError, suggestion
from jdgnn.parts import as_argument, as_partial
from jdgnn.protocol.acceptance import Acceptance
from jdgnn.protocol.acceptance import always as accept_always
from jdgnn.protocol.arguments import checked_whole
from jdgnn.protocol.content import Content
from jdgnn.protocol.links import Link
from jdgnn.protocol.merging import MergeRule, average
from jdgnn.protocol.peers import PeerSampler, uniform
from jdgnn.protocol.schedules import Schedule, every

ORDERS = ("merge_then_train", "train_then_merge", "merge_only")


@struct.dataclass(kw_only=True)
class Publish:
    """The sending of embeddings to graph neighbours. Made by `publish`."""

    schedule: Schedule | None  # None: at every wake
    link: Link
    expiry: int | jax.Array | None = None  # ticks; None: never


@struct.dataclass(kw_only=True)
class Push:
    """The sending of embeddings to random nodes, which keep them as samples. Made by `push`."""

    peers: PeerSampler
    schedule: Schedule
    link: Link
    fanout: int = struct.field(pytree_node=False)
    capacity: int = struct.field(pytree_node=False)


@struct.dataclass(kw_only=True)
class Gossip:
    """The sending of models to random nodes, which merge them into their own. Made by `gossip`."""

    peers: PeerSampler
    merge: MergeRule
    acceptance: Acceptance
    content: Content | None  # None: the whole model
    schedule: Schedule
    link: Link
    fanout: int = struct.field(pytree_node=False)
    capacity: int = struct.field(pytree_node=False)
    order: str = struct.field(pytree_node=False)
    pass_through: bool = struct.field(pytree_node=False)
    pool: float | None = struct.field(pytree_node=False)

    def num_places(self, num_nodes: int) -> int:
        """Places for models in flight or waiting, of all nodes: by `pool`, or as many as can ever be needed."""
        if self.pool is not None:
            return max(1, math.ceil(self.pool * num_nodes - 1e-9))  # 1.1 · 10 comes out above 11
        # Of the models that a node sends, those of each wake can be in flight for the longest delay; models that wait
        # in its inbox were not followed by a wake.
        delay, wakes = self.link.max_delay, self.schedule.min_wakes
        awake = self.fanout * (1 + delay // wakes)
        asleep = self.capacity + self.fanout * -(-delay // wakes)
        return num_nodes * (max(awake, asleep) + self.pass_through)


def publish(
    *, schedule: Schedule | None = None, link: Link | None = None, expiry: int | jax.Array | None = None
) -> Publish:
    """Sets how a node's new embeddings are sent to its graph neighbours.

    Args:
      schedule: when they are sent: `jdgnn.schedules.every(...)`, or one without draws and memory; at every wake if
        None.
      link: drops and delays on the way; none if None.
      expiry: lifetime of an embedding in ticks, at least 1: one sent in tick s is not used after tick s + expiry, as if
        it had not arrived. Unlimited if None.

    Returns:
      The setting, for `Emulator(publish=...)`.

    Raises:
      InputError: an argument is of the wrong kind, or the schedule draws (embeddings go to all neighbours or to none).

    Example:
      >>> import jdgnn
      >>> publish(link=jdgnn.link(drop=0.1, delay=jdgnn.links.uniform(0, 10))).link.max_delay
      10
    """
    schedule = None if schedule is None else _checked_schedule(schedule)
    if schedule is not None and schedule.is_random:
        raise InputError(
            "schedule: expected one that does not draw, since embeddings are published to all neighbours or to none, "
            "got one that draws; choose the schedule every"
        )
    expiry = None if expiry is None else checked_whole("expiry", expiry, minimum=1)
    return Publish(schedule=schedule, link=_checked_link(link), expiry=expiry)


def push(
    *,
    fanout: int = 8,
    capacity: int = 16,
    peers: PeerSampler | None = None,
    schedule: Schedule | None = None,
    link: Link | None = None,
) -> Push:
    """Sets how embeddings are pushed: the newest embeddings of all layers go to `fanout` random nodes.

    Args:
      fanout: pushes per sending wake. A node receives as many on average, so its samples reach an age of
        capacity / fanout ticks. With stale negatives a contrastive objective repels outdated positions and ends up
        worse than an untrained encoder.
      capacity: C, the number of pushed embeddings that a node keeps; when full, the oldest is overwritten.
      peers: sampler of the receivers; uniform if None.
      schedule: when they are sent; at every wake if None.
      link: drops and delays on the way; none if None.

    Returns:
      The setting, for `Emulator(push=...)`.

    Raises:
      InputError: a number is invalid, or a part is of the wrong kind.

    Example:
      >>> push(fanout=2, capacity=32).capacity
      32
    """
    check_count("fanout", fanout)
    check_count("capacity", capacity)
    return Push(
        peers=_checked_peers(peers),
        schedule=_checked_schedule(schedule),
        link=_checked_link(link),
        fanout=fanout,
        capacity=capacity,
    )


def gossip(
    *,
    capacity: int = 1,
    fanout: int = 1,
    peers: PeerSampler | None = None,
    merge: MergeRule | None = None,
    order: str = "merge_then_train",
    acceptance: Acceptance | None = None,
    content: Content | None = None,
    pass_through: bool = False,
    schedule: Schedule | None = None,
    link: Link | None = None,
    pool: float | None = None,
) -> Gossip:
    """Sets how models are sent: a node sends its parameters and their age to random nodes, which merge them.

    Args:
      capacity: M, the number of models that can wait in an inbox; a full inbox evicts its oldest.
      fanout: models a node can send in one wake.
      peers: sampler of the receivers; uniform if None.
      merge: the merge rule; average if None.
      order: order of the steps of a wake: `merge_then_train`, `train_then_merge`, or `merge_only`.
      acceptance: decides whether a received model is merged; always if None.
      content: what a message carries of the model, such as `jdgnn.content.top_k(0.1)`; the whole model if None.
      pass_through: a node sends a rejected model once, in place of its own, when it sends models next.
      schedule: when models are sent; all of `fanout` at every wake if None.
      link: drops and delays on the way; none if None.
      pool: if nodes sleep, models are late, or messages have a content or come from attackers: places for models in
        flight or waiting, per node on average over all nodes, rounded up to whole models. A model without a place is
        evicted, and counted. None makes as many places as can ever be needed. Not used if every model is merged in the
        tick after it was sent, as its sender still holds it.

    Returns:
      The setting, for `Emulator(gossip=...)`.

    Raises:
      InputError: a number is invalid, or a part is of the wrong kind.

    Example:
      >>> import jdgnn
      >>> gossip(schedule=jdgnn.schedules.token_account(capacity=20, reserve=10), fanout=2).fanout
      2
    """
    check_count("capacity", capacity)
    check_count("fanout", fanout)
    check_flag("pass_through", pass_through)
    merge = _checked_merge(merge, pass_through=pass_through)
    if acceptance is not None and not isinstance(acceptance, Acceptance):
        raise InputError(f"acceptance: expected a rule such as jdgnn.acceptance.degree(), got {acceptance!r}")
    if content is not None and not isinstance(content, Content):
        raise InputError(f"content: expected a content such as jdgnn.content.top_k(0.1), or None, got {content!r}")
    if order not in ORDERS:
        raise InputError(f"order: got {order!r}; {suggestion(str(order), ORDERS)}")
    acceptance = accept_always() if acceptance is None else acceptance
    if pass_through and acceptance.probability is None:
        raise InputError("pass_through: expected False where every model is accepted, got True; give an acceptance")
    link = _checked_link(link)
    return Gossip(
        peers=_checked_peers(peers),
        merge=merge,
        acceptance=as_argument(acceptance),
        content=None if content is None else as_argument(content),
        schedule=_checked_schedule(schedule, link.max_delay if pool is None else 0),
        link=link,
        fanout=fanout,
        capacity=capacity,
        order=order,
        pass_through=pass_through,
        pool=None if pool is None else check_number("pool", pool, above=0),
    )


def _checked_merge(merge: MergeRule | None, *, pass_through: bool) -> MergeRule:
    if merge is None:
        return as_argument(average())
    if not isinstance(merge, MergeRule):
        raise InputError(f"merge: expected a rule such as jdgnn.merging.average(), got {merge!r}")
    if (merge.merge is None) == (merge.merge_all is None):
        raise InputError("merge: expected a rule with either merge or merge_all, got one with both or neither")
    if merge.divide is not None and merge.merge_all is None:
        raise InputError("merge: expected merge_all in a rule with divide, since merge gives no weight, got none")
    if merge.divide is not None and pass_through:
        raise InputError(
            "pass_through: expected False with a merge rule that divides weights, since what is passed on carries "
            "another node's, got True"
        )
    return as_argument(merge)


def _checked_peers(peers: PeerSampler | None) -> PeerSampler:
    if peers is not None and not isinstance(peers, PeerSampler):
        raise InputError(f"peers: expected a sampler such as jdgnn.peers.uniform(), got {peers!r}")
    return as_argument(uniform() if peers is None else peers)


def _checked_schedule(schedule: Schedule | None, longest: int = 0) -> Schedule:
    """The schedule, ready to be an argument of a compiled function.

    The spacing of wakes that send only decides the places for models that are up to `longest` ticks late: where it
    makes no difference it is left out, so that another number is the same program.
    """
    if schedule is not None and not isinstance(schedule, Schedule):
        raise InputError(f"schedule: expected one such as jdgnn.schedules.every(2), got {schedule!r}")
    if schedule is None:
        return every()
    check_flag("schedule.is_random", schedule.is_random)
    check_count("schedule.min_wakes", schedule.min_wakes)
    names = ("init", "decide", "settle")
    functions: dict[str, Any] = {name: as_partial(f"schedule.{name}", getattr(schedule, name)) for name in names}
    return dataclasses.replace(schedule, **functions).spaced(min(schedule.min_wakes, longest + 1))


def _checked_link(link: Any) -> Link:
    if link is not None and not isinstance(link, Link):
        raise InputError(f"link: expected one such as jdgnn.link(drop=0.1), got {link!r}")
    return Link(drop=None, delay=None, partition=None) if link is None else link
