"""Draws for links: which links are up, and which messages are dropped or late.

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
    """Draws which links are up in this tick; returns the new memory and a mask [E], None if no link is ever down."""
    if links is None or links.sample is None:
        return memory, None
    return links.sample(key, tick, topology, memory)


def sample_link(
    what: str, link: Link, key: jax.Array, messages: Messages, memory: Any = None
) -> tuple[Any, jax.Array | None, jax.Array | None]:
    """Draws which messages are dropped and how late the others are; `what` names the setting in errors.

    Returns the new memory of the drop model; a mask and delays in ticks in the shape of the destinations, each None if
    the link drops, or delays, nothing.
    """
    drop_key, partition_key, delay_key = jax.random.split(key, 3)
    dropped = None
    if link.drop is not None:
        memory, dropped = _dropped(f"{what}.link.drop", link.drop, drop_key, messages, memory)
    if link.partition is not None:
        is_cut = _drawn(f"{what}.link.partition", link.partition, partition_key, messages)
        dropped = is_cut if dropped is None else dropped | is_cut
    if link.max_delay == 0 or link.delay is None:
        return memory, dropped, None
    delay = _drawn(f"{what}.link.delay", link.delay, delay_key, messages)
    return memory, dropped, jnp.clip(delay, 0, link.max_delay).astype(jnp.int32)


def _dropped(what: str, model: DropModel, key: jax.Array, messages: Messages, memory: Any) -> tuple[Any, jax.Array]:
    """Draws from a drop model; returns its new memory and the mask."""
    if model.init is None:
        return memory, _drawn(what, model, key, messages)
    drawn, given = sampled(what, model.sample, key, messages, memory)
    wanted = jax.eval_shape(lambda: memory)
    if not isinstance(given, tuple) or len(given) != 2 or described(given[0]) != described(wanted):
        raise InputError(
            f"{what}: expected sample to give a pair of the memory, {described(wanted)}, and True or False per "
            f"message, got {described(given)}"
        )
    return drawn[0], _checked(what, model, drawn[1], given[1], messages)


def _drawn(what: str, part: DropModel | DelayModel, key: jax.Array, messages: Messages) -> jax.Array:
    """Draws from a part of a link without a memory, for each message."""
    return _checked(what, part, *sampled(what, part.sample, key, messages), messages)


def _checked(what: str, part: DropModel | DelayModel, drawn: Any, given: Any, messages: Messages) -> jax.Array:
    """The draw, for each message, if its shape and dtype `given` are right."""
    is_drop, shape = isinstance(part, DropModel), messages.dst.shape
    if not _broadcasts(given, shape) or not jnp.issubdtype(given.dtype, jnp.bool_ if is_drop else jnp.integer):
        wanted = "True or False" if is_drop else "one whole number of ticks"
        raise InputError(f"{what}: expected sample to give {wanted} per message, got {described(given)}")
    return jnp.broadcast_to(drawn, shape)


def sampled(what: str, sample: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[Any, Any]:
    """Calls the `sample` of a part, named `what` in errors; returns the draw and its shapes."""
    with failures_named(what):
        drawn = sample(*arguments, **named)
        return drawn, jax.eval_shape(lambda: drawn)


def _broadcasts(given: Any, shape: tuple[int, ...]) -> bool:
    if not isinstance(given, jax.ShapeDtypeStruct) or len(given.shape) > len(shape):
        return False
    pairs = zip(reversed(given.shape), reversed(shape), strict=False)
    return all(length in (1, wanted) for length, wanted in pairs)
