"""Token accounts: sending by tokens earned at every wake."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.errors import InputError
from jdgnn.protocol.arguments import checked_whole, is_known
from jdgnn.protocol.schedules.schedule import Schedule


def token_account(capacity: int | jax.Array = 20, reserve: int | jax.Array = 10) -> Schedule:
    """A node earns a token at every wake, spends one for every message, and answers models with models.

    With balance b before the wake, capacity C and reserve A, a node sends one proactive message, with a probability
    that is 0 for b ≤ A − 1 and rises linearly to 1 at C. For each model merged in this wake it sends b / A more,
    rounded at random with this mean. It never sends more than the b + 1 tokens it has. The balance starts at 0 and
    never exceeds C.

    Source: Danner & Jelasity, "Token Account Algorithms: The Best of the Flow Control Worlds", ICDCS 2018: the
    randomised account.

    Args:
      capacity: C, the largest balance.
      reserve: A, from 1 to `capacity`: below it no proactive message is sent.

    Returns:
      The schedule, for `push` and `gossip`; it remembers the balance, int32.

    Raises:
      InputError: a number is invalid.

    Example:
      >>> import jax.numpy as jnp
      >>> schedule = token_account(capacity=4, reserve=2)
      >>> int(schedule.decide(4, 9, 1, jnp.array([0.5, 0.5]), 8))  # one proactive, 4 / 2 for one model
      3
      >>> int(schedule.settle(4, 3))
      2
    """
    capacity = checked_whole("capacity", capacity, minimum=1)
    reserve = checked_whole("reserve", reserve, minimum=1)
    if is_known(capacity, reserve) and reserve > capacity:
        raise InputError(f"reserve: expected at most capacity = {capacity}, got {reserve}")
    return Schedule(
        init=Partial(_init),
        decide=Partial(_decide, capacity=capacity, reserve=reserve),
        settle=Partial(_settle, capacity=capacity),
        is_random=True,
    )


def _init() -> jax.Array:
    return jnp.zeros((), jnp.int32)


def _decide(
    balance: jax.Array,
    wakes: jax.Array,
    num_merged: jax.Array,
    uniforms: jax.Array,
    num_candidates: int,
    *,
    capacity: int | jax.Array,
    reserve: int | jax.Array,
) -> jax.Array:
    del wakes, num_candidates
    proactive_prob = jnp.maximum(_ratio(balance - reserve + 1, capacity - reserve + 1), 0.0)
    proactive = (uniforms[0] < proactive_prob).astype(jnp.int32)
    is_rounded_up = uniforms[1:] < _ratio(balance % reserve, reserve)
    is_merged = jnp.arange(uniforms.shape[0] - 1, dtype=jnp.int32) < num_merged
    answers = jnp.where(is_merged, balance // reserve + is_rounded_up.astype(jnp.int32), 0)
    return jnp.minimum(proactive + answers.sum(dtype=jnp.int32), balance + 1)


def _ratio(part: ArrayLike, whole: ArrayLike) -> jax.Array:
    return jnp.float32(part) / jnp.float32(whole)


def _settle(balance: jax.Array, num_sent: jax.Array, *, capacity: int | jax.Array) -> jax.Array:
    return jnp.minimum(balance + 1 - num_sent, capacity)
