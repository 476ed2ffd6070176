"""Sending at every k-th wake."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jdgnn.checks import check_count
from jdgnn.errors import InputError
from jdgnn.protocol.arguments import checked_whole, is_known
from jdgnn.protocol.schedules.schedule import Schedule


def every(wakes: int = 1, phase: int | jax.Array = 0) -> Schedule:
    """A node sends to all candidates at wakes w, counted from 0, with (w − phase) mod wakes = 0, else to none.

    Args:
      wakes: wakes from one sending to the next.
      phase: the first wake at which it sends, below `wakes`.

    Returns:
      The schedule, for `publish`, `push` and `gossip`.

    Raises:
      InputError: a number is invalid.

    Example:
      >>> schedule = every(3, phase=1)
      >>> [int(schedule.decide((), wakes, 0, None, 8)) for wakes in range(5)]
      [0, 8, 0, 0, 8]
    """
    check_count("wakes", wakes)
    phase = checked_whole("phase", phase)
    if is_known(phase) and phase >= wakes:
        raise InputError(f"phase: expected a whole number below wakes = {wakes}, got {phase}")
    return Schedule(
        init=Partial(_init),
        decide=Partial(_decide, period=wakes, phase=phase),
        settle=Partial(_settle),
        min_wakes=wakes,
    )


def _init() -> tuple[()]:
    return ()


def _decide(
    memory: tuple[()],
    wakes: jax.Array,
    num_merged: jax.Array,
    uniforms: jax.Array | None,
    num_candidates: int,
    *,
    period: int,
    phase: int | jax.Array,
) -> jax.Array:
    del memory, num_merged, uniforms
    is_due = (wakes - phase) % period == 0
    return jnp.where(is_due, jnp.int32(num_candidates), 0)


def _settle(memory: tuple[()], num_sent: jax.Array) -> tuple[()]:
    del num_sent
    return memory
