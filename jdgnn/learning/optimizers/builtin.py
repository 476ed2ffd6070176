"""The built-in optimisers; other numbers need no other program."""

from collections.abc import Callable
from typing import Any

import optax
from jax.typing import ArrayLike

from jdgnn.checks import check_flag, check_number
from jdgnn.learning.optimizers import outer
from jdgnn.learning.optimizers.merged import merged as with_merged_moments
from jdgnn.learning.optimizers.optimizer import Optimizer, from_scaling


def sgd(learning_rate: ArrayLike, rate_schedule: Callable[..., Any] | None = None) -> Optimizer:
    """Stochastic gradient descent.

    Args:
      learning_rate: the base rate.
      rate_schedule: a factor of the rate by the layer's own step count, or None.

    Returns:
      The optimiser; it keeps no state.

    Raises:
      InputError: a number is invalid.

    Example:
      >>> optimizer = sgd(0.1)
    """
    return from_scaling(optax.identity, learning_rate, rate_schedule, outer.descend)


def momentum(
    learning_rate: ArrayLike,
    decay: ArrayLike = 0.9,
    rate_schedule: Callable[..., Any] | None = None,
    merged: bool = False,
) -> Optimizer:
    """Stochastic gradient descent with momentum.

    Args:
      learning_rate: the base rate.
      decay: the factor of the running sum of gradients at each step.
      rate_schedule: a factor of the rate by the layer's own step count, or None.
      merged: whether moments travel with the model and are merged like parameters; see `jdgnn.optimizers.merged`.

    Returns:
      The optimiser; it keeps one number per parameter.

    Raises:
      InputError: a number is invalid.

    Example:
      >>> optimizer = momentum(0.1, decay=0.8)
    """
    decay = check_number("decay", decay, minimum=0, below=1)
    check_flag("merged", merged)
    optimizer = from_scaling(optax.trace, learning_rate, rate_schedule, outer.momentum, decay=decay)
    return with_merged_moments(optimizer) if merged else optimizer


def adam(
    learning_rate: ArrayLike,
    b1: ArrayLike = 0.9,
    b2: ArrayLike = 0.999,
    eps: ArrayLike = 1e-8,
    rate_schedule: Callable[..., Any] | None = None,
    merged: bool = False,
) -> Optimizer:
    """Adam.

    Source: Kingma & Ba, "Adam: A Method for Stochastic Optimization", arXiv 1412.6980.

    Args:
      learning_rate: the base rate.
      b1: decay of the mean of gradients.
      b2: decay of the mean of their squares.
      eps: a number added to the root of the latter.
      rate_schedule: a factor of the rate by the layer's own step count, or None.
      merged: whether moments travel with the model and are merged like parameters; see `jdgnn.optimizers.merged`.

    Returns:
      The optimiser; it keeps two numbers per parameter.

    Raises:
      InputError: a number is invalid.

    Example:
      >>> from jdgnn.learning.optimizers import cosine
      >>> optimizer = adam(1e-2, rate_schedule=cosine(horizon=300))
    """
    b1 = check_number("b1", b1, minimum=0, below=1)
    b2 = check_number("b2", b2, minimum=0, below=1)
    eps = check_number("eps", eps, above=0)
    check_flag("merged", merged)
    optimizer = from_scaling(optax.scale_by_adam, learning_rate, rate_schedule, outer.adam, b1=b1, b2=b2, eps=eps)
    return with_merged_moments(optimizer) if merged else optimizer
