"""Links that go down and come back."""

import jax
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.network.topology import Topology
from jdgnn.protocol.link_presence.link_presence import LinkPresence
from jdgnn.protocol.two_states import first_states, next_states


def markov(mean_up: ArrayLike, mean_down: ArrayLike) -> LinkPresence:
    """Each directed edge goes down and comes back at random, independently: a Markov chain with the states up and down.

    In each tick a link that is up goes down with probability 1 / mean_up, and one that is down comes back with
    probability 1 / mean_down. In every tick, the first included, each is up with probability
    mean_up / (mean_up + mean_down).

    Args:
      mean_up: mean number of ticks that a link stays up, at least 1.
      mean_down: mean number of ticks that it stays down, at least 1.

    Returns:
      The model; it remembers which links are up, bool [E].

    Raises:
      InputError: a mean is not a number of at least 1.

    Example:
      >>> import jax, jdgnn
      >>> links = jdgnn.network.topology(jdgnn.generators.ring(4))
      >>> presence = markov(50, 10)
      >>> up = presence.init(jax.random.key(0), links)
      >>> up, up_mask = presence.sample(jax.random.key(1), 0, links, up)
      >>> up_mask.shape
      (8,)
    """
    numbers = {
        "mean_up": check_number("mean_up", mean_up, minimum=1),
        "mean_down": check_number("mean_down", mean_down, minimum=1),
    }
    return LinkPresence(init=Partial(_init, **numbers), sample=Partial(_sample, **numbers))


def _init(key: jax.Array, topology: Topology, *, mean_up: ArrayLike, mean_down: ArrayLike) -> jax.Array:
    return first_states(key, topology.num_edges, mean_up, mean_down)


def _sample(
    key: jax.Array, tick: jax.Array, topology: Topology, up: jax.Array, *, mean_up: ArrayLike, mean_down: ArrayLike
) -> tuple[jax.Array, jax.Array]:
    del tick, topology
    up = next_states(key, up, mean_up, mean_down)
    return up, up
