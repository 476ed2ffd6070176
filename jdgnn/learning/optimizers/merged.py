"""Optimisers whose moments travel with the model and are merged with it."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jdgnn.errors import InputError
from jdgnn.learning.optimizers.optimizer import READERS, Optimizer, StepFacts, step_facts
from jdgnn.parts import as_argument

MOMENTS = "moments"  # the key of the moments among the parameters of a layer


def merged(optimizer: Optimizer) -> Optimizer:
    """Another optimiser whose moments are part of the model: they are sent with it and merged like parameters.

    With its own moments a node keeps moving along its own gradients between merges; merged moments become the mean
    gradient of many nodes. A model message grows by the moments. Integers, such as counts of steps, stay at the node.
    Source: averaging momentum and parameters, as in Yu, Jin & Yang, "On the Linear Speedup Analysis of
    Communication Efficient Momentum SGD for Distributed Non-Convex Optimization", arXiv 1905.03817.

    Args:
      optimizer: one that keeps moments.

    Returns:
      The optimiser.

    Raises:
      InputError: `optimizer` is not an optimiser, or its moments are merged already.

    Example:
      >>> from jdgnn.learning.optimizers import momentum
      >>> merged(momentum(0.1)).moments is None
      False
    """
    if not isinstance(optimizer, Optimizer):
        raise InputError(f"optimizer: expected one such as jdgnn.momentum(0.1), got {optimizer!r}")
    if optimizer.moments is not None:
        raise InputError("optimizer: expected one without merged moments, got one that has them; give it as it is")
    optimizer = as_argument(optimizer)
    return Optimizer(
        init=Partial(_init, init=optimizer.init),
        step=Partial(_step, step=optimizer.step),
        moments=Partial(_moments, init=optimizer.init),
    )


def with_moments(optimizer: Optimizer, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a layer of one node, with the first moments if these are merged."""
    return params if optimizer.moments is None else params | {MOMENTS: optimizer.moments(params)}


def without_moments(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a layer without moments."""
    return {name: part for name, part in params.items() if name != MOMENTS}


def _moments(params: Any, *, init: Any) -> Any:
    return _parted(init(params))[0]


def _init(params: Any, *, init: Any) -> Any:
    return _parted(init(without_moments(params)))[1]


def _step(gradient: Any, opt_state: Any, params: Any, num_steps: jax.Array, *, step: Any) -> tuple[Any, Any]:
    state = _joined(params[MOMENTS], opt_state)
    return _packed(*step(without_moments(gradient), state, without_moments(params), num_steps))


def _read(bound: dict[str, Any]) -> StepFacts | None:
    facts = step_facts(bound["step"])
    return None if facts is None else StepFacts(Partial(_step_outer, step_outer=facts.outer), facts.rate)


READERS.append((_step, _read))


def _step_outer(params: Any, opt_state: Any, *step: Any, step_outer: Any) -> tuple[Any, Any]:
    return _packed(*step_outer(without_moments(params), _joined(params[MOMENTS], opt_state), *step))


def _packed(params: Any, opt_state: Any) -> tuple[Any, Any]:
    moments, others = _parted(opt_state)
    return params | {MOMENTS: moments}, others


def _parted(opt_state: Any) -> tuple[Any, Any]:
    """The floating-point leaves of an optimiser's state, which can be averaged, and the rest; None elsewhere."""
    is_mean = jax.tree.map(lambda leaf: jnp.issubdtype(leaf.dtype, jnp.floating), opt_state)
    moments = jax.tree.map(lambda leaf, chosen: leaf if chosen else None, opt_state, is_mean)
    return moments, jax.tree.map(lambda leaf, chosen: None if chosen else leaf, opt_state, is_mean)


def _joined(moments: Any, others: Any) -> Any:
    return jax.tree.map(
        lambda moment, other: other if moment is None else moment, moments, others, is_leaf=lambda leaf: leaf is None
    )
