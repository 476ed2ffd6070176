"""What nodes send, to whom, how often and over what links: embeddings to neighbours, pushes, models."""

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
    """How embeddings are sent to graph neighbours. Made by `publish`."""

    schedule: Schedule | None  # None: at every wake
    link: Link
    expiry: int | jax.Array | None = None  # ticks; None: never


@struct.dataclass(kw_only=True)
class Push:
    """How embeddings are pushed to random nodes, which keep them as samples. Made by `push`."""

    peers: PeerSampler
    schedule: Schedule
    link: Link
    fanout: int = struct.field(pytree_node=False)
    capacity: int = struct.field(pytree_node=False)


@struct.dataclass(kw_only=True)
class Gossip:
    """How models are sent to random nodes, which merge them into their own. Made by `gossip`."""

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
        """Places for models in flight or waiting, of all nodes together.

        With a `pool`, that many per node, rounded up. Without one as many as can ever be needed: of what a node sends,
        each wake's models can be on their way for as long as the longest delay, and what waits in its inbox was not
        followed by a wake.
        """
        if self.pool is not None:
            return max(1, math.ceil(self.pool * num_nodes - 1e-9))  # 1.1 · 10 comes out above 11
        delay, wakes = self.link.max_delay, self.schedule.min_wakes
        awake = self.fanout * (1 + delay // wakes)
        asleep = self.capacity + self.fanout * -(-delay // wakes)
        return num_nodes * (max(awake, asleep) + self.pass_through)


def publish(
    *, schedule: Schedule | None = None, link: Link | None = None, expiry: int | jax.Array | None = None
) -> Publish:
    """Says how a node's new embeddings reach its graph neighbours.

    Args:
      schedule: when they are sent: `jdgnn.schedules.every(...)`, or one that neither draws nor remembers anything; at
        every wake if None.
      link: what can happen to them on the way; nothing if None.
      expiry: how many ticks after the one in which it was sent an embedding is used, at least 1: what was sent in tick
        s is not used in ticks later than s + expiry, as if it had not arrived. For ever, if None.

    Returns:
      The setting, for `Emulator(publish=...)`.

    Raises:
      InputError: an argument is of the wrong kind, or the schedule draws (what is published goes to all neighbours).

    Example:
      >>> import jdgnn
      >>> publish(link=jdgnn.link(drop=0.1, delay=jdgnn.links.uniform(0, 10))).link.max_delay
      10
    """
    schedule = None if schedule is None else _checked_schedule(schedule)
    if schedule is not None and schedule.is_random:
        raise InputError(
            "schedule: got one that draws, and what is published goes to all neighbours or to none; "
            "choose the schedule every, or another that does not draw"
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
    """Says how embeddings are pushed: the newest embeddings of all layers go to `fanout` random nodes.

    Args:
      fanout: pushes per sending wake. A node gets as many on average, so capacity / fanout is the age its samples
        reach; with old samples contrastive objectives learn to flee where others were, and end below no learning.
      capacity: C, how many pushed embeddings a node keeps; a full buffer loses its oldest.
      peers: who gets them; uniform if None.
      schedule: when they are sent; at every wake if None.
      link: what can happen to them on the way; nothing if None.

    Returns:
      The setting, for `Emulator(push=...)`.

    Raises:
      InputError: a number makes no sense, or a part is of the wrong kind.

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
    """Says how models spread: a node sends its parameters and their age to random nodes, which merge them.

    Args:
      capacity: M, models that can wait in an inbox; a full inbox loses its oldest.
      fanout: models a node can send in one wake.
      peers: who gets them; uniform if None.
      merge: how they are merged; average if None.
      order: what a node does first at a wake: `merge_then_train`, `train_then_merge`, or `merge_only`.
      acceptance: whether a received model is merged at all; always if None.
      content: what a message carries of the model, as `jdgnn.content.top_k(0.1)`; the whole model if None.
      pass_through: a rejected model is what the node sends at its next model send, once.
      schedule: when models are sent; all of `fanout` at every wake if None.
      link: what can happen to them on the way; nothing if None.
      pool: where nodes sleep, models are late, or messages have a content or come from attackers: models in flight or
        waiting for which there is room, per node and on average over all nodes, rounded up to whole models; what finds
        no room is evicted, which is counted. None makes room for as many as can ever be. Not used where every model
        is merged in the tick after it was sent, as its sender holds it.

    Returns:
      The setting, for `Emulator(gossip=...)`.

    Raises:
      InputError: a number makes no sense, or a part is of the wrong kind.

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
        raise InputError("pass_through: got True, and every model is accepted; give an acceptance, or leave it out")
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

    How far wakes that send lie apart decides on places for models that are up to `longest` ticks late, and on nothing
    else: where it makes no difference it is left out, so that another number is the same program.
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
