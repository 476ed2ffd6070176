"""The setting of drops, delays and partitions of one kind of messages."""

import dataclasses
from typing import Any

import jax
from flax import struct

from jdgnn.checks import check_count
from jdgnn.deprecated import old_arguments
from jdgnn.errors import InputError
from jdgnn.parts import as_argument, as_partial
from jdgnn.protocol.arguments import checked_prob
from jdgnn.protocol.links.bernoulli import bernoulli
from jdgnn.protocol.links.constant import constant
from jdgnn.protocol.links.models import DelayModel, DropModel


@struct.dataclass(kw_only=True)
class Link:
    """The drop, delay and partition models of one kind of messages. Made by `link`; None stands for no such effect."""

    drop: DropModel | None
    delay: DelayModel | None
    partition: DropModel | None

    @property
    def max_delay(self) -> int:
        """The longest delay in ticks."""
        return 0 if self.delay is None else self.delay.maximum

    @property
    def is_perfect(self) -> bool:
        """Whether nothing can be dropped or late."""
        return self.drop is None and self.partition is None and self.max_delay == 0


@old_arguments(loss="drop", split="partition")
def link(
    drop: DropModel | float | jax.Array | None = None,
    delay: DelayModel | int | None = None,
    partition: DropModel | None = None,
) -> Link:
    """Sets how messages are dropped and delayed on their way.

    Args:
      drop: a drop model such as `jdgnn.links.measured(...)`, or the probability that a message is dropped.
      delay: a delay model such as `jdgnn.links.uniform(0, 10)`, or the delay of all messages in ticks.
      partition: `jdgnn.links.partition(...)`, an interval in which the network is cut in parts.

    Returns:
      The link, for `publish`, `push` and `gossip`.

    Raises:
      InputError: a number is invalid, or a part is of the wrong kind.

    Example:
      >>> link(drop=0.1, delay=3).max_delay
      3
      >>> link(drop=0.0, delay=0) == link()
      True
    """
    if partition is not None and not isinstance(partition, DropModel):
        raise InputError(f"partition: expected one such as jdgnn.links.partition(100, 200), got {partition!r}")
    if partition is not None and partition.init is not None:
        raise InputError(f"partition: expected a model without a memory, got {partition!r}; give it as `drop`")
    parted = None if partition is None else as_argument(partition)
    return Link(drop=_checked_drop(drop), delay=_checked_delay(delay), partition=parted)


def _checked_drop(drop: Any) -> DropModel | None:
    if isinstance(drop, DropModel):
        return as_argument(drop)
    if drop is None:
        return None
    prob = checked_prob("drop", drop)
    return None if not isinstance(prob, jax.Array) and prob == 0 else bernoulli(prob)


def _checked_delay(delay: Any) -> DelayModel | None:
    if isinstance(delay, DelayModel):
        check_count("delay.maximum", delay.maximum, minimum=0)
        return dataclasses.replace(delay, sample=as_partial("delay.sample", delay.sample))
    if delay is None:
        return None
    check_count("delay", delay, minimum=0)
    return constant(delay) if delay else None
