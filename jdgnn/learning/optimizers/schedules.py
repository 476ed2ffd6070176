"""Schedules: factors of the base learning rate by the node's own step count of the layer."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number


def constant() -> Callable[[jax.Array], jax.Array]:
    """Keeps the base rate.

    Example:
      >>> float(constant()(10))
      1.0
    """
    return Partial(_constant)


def _constant(num_steps: ArrayLike) -> jax.Array:
    return jnp.ones(jnp.shape(num_steps))


def cosine(horizon: ArrayLike, floor: ArrayLike = 0.0) -> Callable[[jax.Array], jax.Array]:
    """Decreases from 1 to `floor` along half a cosine, and stays there.

    Source: Loshchilov & Hutter, "SGDR", arXiv 1608.03983.

    Args:
      horizon: steps until the floor is reached, independent of the length of the run.
      floor: the last factor.

    Returns:
      `(num_steps) -> factor`.

    Raises:
      InputError: a number is invalid.

    Example:
      >>> float(cosine(horizon=100)(50)).__round__(6)
      0.5
    """
    horizon = check_number("horizon", horizon, above=0)
    floor = check_number("floor", floor, minimum=0)
    return Partial(_cosine, horizon=horizon, floor=floor)


def _cosine(num_steps: ArrayLike, *, horizon: ArrayLike, floor: ArrayLike) -> jax.Array:
    done = jnp.clip(jnp.asarray(num_steps).astype(float) / horizon, 0.0, 1.0)
    return jnp.asarray(floor + (1.0 - floor) * 0.5 * (1.0 + jnp.cos(jnp.pi * done)))


def until(horizon: ArrayLike) -> Callable[[jax.Array], jax.Array]:
    """Keeps the base rate for some steps, then stops training.

    Nodes that continue to merge without steps agree within tens of ticks. With plain gradient descent or momentum,
    whose nodes scatter around a good mean, this gains several points of accuracy; with Adam, whose nodes are better
    than their mean, it loses some.

    Args:
      horizon: the number of steps of each layer of each node.

    Returns:
      `(num_steps) -> factor`.

    Raises:
      InputError: the number is invalid.

    Example:
      >>> [float(until(horizon=100)(step)) for step in (99, 100)]
      [1.0, 0.0]
    """
    return Partial(_until, horizon=check_number("horizon", horizon, above=0))


def _until(num_steps: ArrayLike, *, horizon: ArrayLike) -> jax.Array:
    return jnp.where(jnp.asarray(num_steps).astype(float) < horizon, 1.0, 0.0)
