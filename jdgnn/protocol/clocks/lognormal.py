"""A clock with a different rate at each node."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.protocol.arguments import checked_prob
from jdgnn.protocol.clocks.clock import Clock


def lognormal(mean_prob: ArrayLike, sigma: ArrayLike) -> Clock:
    """Each node wakes in each tick with its own probability, which is drawn when a run begins.

    The probability is min(1, mean_prob · exp(σz − σ²/2)) with z standard normal; its mean is `mean_prob`,
    slightly less where probabilities are cut at 1.

    Args:
      mean_prob: mean of the probabilities before they are cut, from 0 to 1.
      sigma: σ, their spread: standard deviation of their logarithms; 0 makes all nodes alike.

    Returns:
      The clock; it remembers the probabilities, float32 [N].

    Raises:
      InputError: a number is invalid.

    Example:
      >>> import jax
      >>> [round(float(prob), 3) for prob in lognormal(0.2, 0.0).init(jax.random.key(0), 2)]
      [0.2, 0.2]
    """
    numbers = {"mean_prob": checked_prob("mean_prob", mean_prob), "sigma": check_number("sigma", sigma, minimum=0)}
    return Clock(init=Partial(_init, **numbers), sample=_sample)


def _init(key: jax.Array, num_nodes: int, *, mean_prob: ArrayLike, sigma: ArrayLike) -> jax.Array:
    spread = jnp.float32(sigma)
    factor = jnp.exp(spread * jax.random.normal(key, (num_nodes,), jnp.float32) - 0.5 * spread**2)
    return jnp.minimum(jnp.float32(mean_prob) * factor, 1.0)


def _sample(key: jax.Array, tick: jax.Array, num_nodes: int, probs: jax.Array) -> tuple[jax.Array, jax.Array]:
    del tick, num_nodes
    return probs, jax.random.bernoulli(key, probs)
