"""Nodes that leave and return."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.protocol.presence.presence import Presence
from jdgnn.protocol.two_states import first_states, next_states


def churn(mean_session: ArrayLike, mean_absence: ArrayLike) -> Presence:
    """Each node leaves and returns at random, independently: a Markov chain with the states online and offline.

    In each tick a node that is online leaves with probability 1 / mean_session and one that is offline returns with
    probability 1 / mean_absence. All nodes have joined. In every tick, the first included, each is online with
    probability mean_session / (mean_session + mean_absence).

    Args:
      mean_session: mean number of ticks that a node stays online, at least 1.
      mean_absence: mean number of ticks that it stays away, at least 1.

    Returns:
      The presence model; it remembers who is online, bool [N].

    Raises:
      InputError: a mean is not a number of at least 1.

    Example:
      >>> import jax
      >>> presence = churn(100, 20)
      >>> online = presence.init(jax.random.key(0), 4)
      >>> online, joined_mask, online_mask = presence.sample(jax.random.key(1), 0, 4, online)
    """
    numbers = {
        "mean_session": check_number("mean_session", mean_session, minimum=1),
        "mean_absence": check_number("mean_absence", mean_absence, minimum=1),
    }
    return Presence(init=Partial(_init, **numbers), sample=Partial(_sample, **numbers))


def _init(key: jax.Array, num_nodes: int, *, mean_session: ArrayLike, mean_absence: ArrayLike) -> jax.Array:
    return first_states(key, num_nodes, mean_session, mean_absence)


def _sample(
    key: jax.Array,
    tick: jax.Array,
    num_nodes: int,
    online: jax.Array,
    *,
    mean_session: ArrayLike,
    mean_absence: ArrayLike,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    del tick
    online = next_states(key, online, mean_session, mean_absence)
    return online, jnp.ones(num_nodes, bool), online
