"""What is drawn for links: which are up, and what happens to messages on their way.

Axes: E directed edges.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.errors import InputError
from jdgnn.network.topology import Topology
from jdgnn.parts import described, failures_named
from jdgnn.protocol.link_presence import LinkPresence
from jdgnn.protocol.links import DelayModel, DropModel, Link, Messages


def sample_link_up(
    links: LinkPresence | None, key: jax.Array, tick: jax.Array, topology: Topology, memory: Any
) -> tuple[Any, jax.Array | None]:
    """Draws which links are up in this tick.

    Args:
      links: when they are; None for always.
      key: what to draw with.
      tick: number of the tick.
      topology: the links.
      memory: what their model remembers.

    Returns:
      What it remembers then, and a mask [E]; None where no link is ever down.
    """
    if links is None or links.sample is None:
        return memory, None
    return links.sample(key, tick, topology, memory)


def sample_link(
    what: str, link: Link, key: jax.Array, messages: Messages, memory: Any = None
) -> tuple[Any, jax.Array | None, jax.Array | None]:
    """Draws which messages are dropped, and how late the others are.

    Args:
      what: what the link is one of, as errors should name it: publish, push or gossip.
      link: the link.
      key: what to draw with.
      messages: what is sent.
      memory: what its loss model remembers; None if it has no memory.

    Returns:
      What that remembers then; a mask and ticks from 0 to the link's longest delay, in the shape of the destinations;
      None where the link loses nothing, or delays nothing.

    Raises:
      InputError: a part of the link fails, or gives no mask, or no whole numbers.
    """
    loss_key, split_key, delay_key = jax.random.split(key, 3)
    dropped = None
    if link.drop is not None:
        memory, dropped = _dropped(f"{what}.link.drop", link.drop, loss_key, messages, memory)
    if link.partition is not None:
        is_cut = _drawn(f"{what}.link.partition", link.partition, split_key, messages)
        dropped = is_cut if dropped is None else dropped | is_cut
    if link.max_delay == 0 or link.delay is None:
        return memory, dropped, None
    delay = _drawn(f"{what}.link.delay", link.delay, delay_key, messages)
    return memory, dropped, jnp.clip(delay, 0, link.max_delay).astype(jnp.int32)


def _dropped(what: str, loss: DropModel, key: jax.Array, messages: Messages, memory: Any) -> tuple[Any, jax.Array]:
    """What a loss model draws, and remembers then, if it has a memory."""
    if loss.init is None:
        return memory, _drawn(what, loss, key, messages)
    drawn, given = sampled(what, loss.sample, key, messages, memory)
    wanted = jax.eval_shape(lambda: memory)
    if not isinstance(given, tuple) or len(given) != 2 or described(given[0]) != described(wanted):
        raise InputError(
            f"{what}: expected sample to give a pair of the memory, {described(wanted)}, and True or False per "
            f"message, got {described(given)}"
        )
    return drawn[0], _checked(what, loss, drawn[1], given[1], messages)


def _drawn(what: str, part: DropModel | DelayModel, key: jax.Array, messages: Messages) -> jax.Array:
    """What a part of a link that remembers nothing draws for each message."""
    return _checked(what, part, *sampled(what, part.sample, key, messages), messages)


def _checked(what: str, part: DropModel | DelayModel, drawn: Any, given: Any, messages: Messages) -> jax.Array:
    """What was drawn, for each message, if its shape and dtype `given` are such."""
    is_loss, shape = isinstance(part, DropModel), messages.dst.shape
    if not _broadcasts(given, shape) or not jnp.issubdtype(given.dtype, jnp.bool_ if is_loss else jnp.integer):
        wanted = "True or False" if is_loss else "one whole number of ticks"
        raise InputError(f"{what}: expected sample to give {wanted} per message, got {described(given)}")
    return jnp.broadcast_to(drawn, shape)


def sampled(what: str, sample: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[Any, Any]:
    """What a part draws, and the shapes of it.

    Args:
      what: the part, as errors should name it.
      sample: its function.
      *arguments: what it is called with.
      **named: the same by keyword.

    Raises:
      InputError: it fails.
    """
    with failures_named(what):
        drawn = sample(*arguments, **named)
        return drawn, jax.eval_shape(lambda: drawn)


def _broadcasts(given: Any, shape: tuple[int, ...]) -> bool:
    if not isinstance(given, jax.ShapeDtypeStruct) or len(given.shape) > len(shape):
        return False
    pairs = zip(reversed(given.shape), reversed(shape), strict=False)
    return all(length in (1, wanted) for length, wanted in pairs)
