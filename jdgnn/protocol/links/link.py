"""What can happen to messages of one kind on their way."""

import dataclasses
from typing import Any

import jax
from flax import struct

from jdgnn.checks import check_count
from jdgnn.errors import InputError
from jdgnn.parts import as_argument, as_partial
from jdgnn.protocol.arguments import checked_prob
from jdgnn.protocol.links.bernoulli import bernoulli
from jdgnn.protocol.links.constant import constant
from jdgnn.protocol.links.models import DelayModel, LossModel


@struct.dataclass(kw_only=True)
class Link:
    """Which messages get lost, and how late the others are. Made by `link`; None stands for not at all."""

    loss: LossModel | None
    delay: DelayModel | None
    split: LossModel | None

    @property
    def max_delay(self) -> int:
        """The longest delay in ticks."""
        return 0 if self.delay is None else self.delay.maximum

    @property
    def is_perfect(self) -> bool:
        """Whether nothing can be lost or late."""
        return self.loss is None and self.split is None and self.max_delay == 0


def link(
    loss: LossModel | float | jax.Array | None = None,
    delay: DelayModel | int | None = None,
    split: LossModel | None = None,
) -> Link:
    """Says what can happen to messages on their way.

    Args:
      loss: which get lost: a model such as `jdgnn.links.measured(...)`, or the probability that any one does.
      delay: how many ticks late they are: a model such as `jdgnn.links.uniform(0, 10)`, or a number for all alike.
      split: `jdgnn.links.split(...)`, a time in which the network is cut in two.

    Returns:
      The link, for `publish`, `push` and `gossip`.

    Raises:
      InputError: a number makes no sense, or a part is of the wrong kind.

    Example:
      >>> link(loss=0.1, delay=3).max_delay
      3
      >>> link(loss=0.0, delay=0) == link()
      True
    """
    if split is not None and not isinstance(split, LossModel):
        raise InputError(f"split: got {split!r}, and one such as jdgnn.links.split(100, 200) is needed")
    if split is not None and split.init is not None:
        raise InputError(f"split: expected a model without a memory, got {split!r}; give it as the loss")
    return Link(
        loss=_checked_loss(loss), delay=_checked_delay(delay), split=None if split is None else as_argument(split)
    )


def _checked_loss(loss: Any) -> LossModel | None:
    if isinstance(loss, LossModel):
        return as_argument(loss)
    if loss is None:
        return None
    prob = checked_prob("loss", loss)
    return None if not isinstance(prob, jax.Array) and prob == 0 else bernoulli(prob)


def _checked_delay(delay: Any) -> DelayModel | None:
    if isinstance(delay, DelayModel):
        check_count("delay.maximum", delay.maximum, minimum=0)
        return dataclasses.replace(delay, sample=as_partial("delay.sample", delay.sample))
    if delay is None:
        return None
    check_count("delay", delay, minimum=0)
    return constant(delay) if delay else None
