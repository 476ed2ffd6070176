"""Drops that come in bursts."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.network.topology import Topology
from jdgnn.protocol.arguments import checked_prob
from jdgnn.protocol.links.models import DropModel, Messages
from jdgnn.protocol.two_states import first_states, next_states


def bursty(
    mean_good: ArrayLike, mean_bad: ArrayLike, good_prob: ArrayLike = 0.0, bad_prob: ArrayLike = 1.0
) -> DropModel:
    """Messages are dropped in bursts: a Markov chain with the states good and bad, each with its own drop probability.

    This is the channel of Gilbert ("Capacity of a Burst-Noise Channel", 1960) and Elliott ("Estimates of Error Rates
    for Codes on Burst-Noise Channels", 1963), advanced once a tick, whether or not something is sent. Each directed
    edge has its own chain. Messages to random peers take no edges: there each sender has one chain for all messages
    that it sends in a tick. In every tick, the first included, a chain is bad with probability
    mean_bad / (mean_good + mean_bad). With mean_good = 1 / p and mean_bad = 1 / (1 − p) ticks have no memory, and a
    chain is bad with probability p in each.

    Args:
      mean_good: mean number of ticks that a chain stays good, at least 1.
      mean_bad: mean number of ticks that it stays bad, at least 1.
      good_prob: probability that a message is dropped while its chain is good, from 0 to 1.
      bad_prob: the same while it is bad.

    Returns:
      The drop model, for `jdgnn.link`; it remembers which chains are bad, bool [E] or [N].

    Raises:
      InputError: a mean is not a number of at least 1, or a number is not a probability.

    Example:
      >>> import jdgnn
      >>> link = jdgnn.link(drop=bursty(mean_good=50, mean_bad=5), delay=2)
    """
    means = {
        "mean_good": check_number("mean_good", mean_good, minimum=1),
        "mean_bad": check_number("mean_bad", mean_bad, minimum=1),
    }
    probs = {"good_prob": checked_prob("good_prob", good_prob), "bad_prob": checked_prob("bad_prob", bad_prob)}
    return DropModel(init=Partial(_init, **means), sample=Partial(_sample, **means, **probs))


def _init(
    key: jax.Array, topology: Topology, num_slots: int | None, *, mean_good: ArrayLike, mean_bad: ArrayLike
) -> jax.Array:
    num_chains = topology.num_edges if num_slots is None else topology.num_nodes
    return first_states(key, num_chains, mean_bad, mean_good)


def _sample(
    key: jax.Array,
    messages: Messages,
    is_bad: jax.Array,
    *,
    mean_good: ArrayLike,
    mean_bad: ArrayLike,
    good_prob: ArrayLike,
    bad_prob: ArrayLike,
) -> tuple[jax.Array, jax.Array]:
    chain_key, coin_key = jax.random.split(key)
    is_bad = next_states(chain_key, is_bad, mean_bad, mean_good)
    chain = messages.src if messages.edge is None else messages.edge
    prob = jnp.where(is_bad[chain], jnp.float32(bad_prob), jnp.float32(good_prob))
    return is_bad, jax.random.bernoulli(coin_key, prob)
