"""What an optimiser is, and how one is made of optax."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import optax
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.errors import InputError
from jdgnn.learning.optimizers.schedules import constant


class Optimizer(NamedTuple):
    """How one layer of one node moves down its gradient.

    Members:
      init: `(params) -> opt_state`.
      step: `(gradient, opt_state, params, num_steps) -> (params, opt_state)`, where `num_steps` counts the steps this
        layer of this node has made before.
      step_outer: `(params, opt_state, inputs, gradient, rate [N], is_stepping [N]) -> (params, opt_state)`, all nodes
        at once, for layers that begin with linear maps: the gradient of each kernel is the outer product of its
        `inputs` [N, n] and `gradient` [N, F'], which is not written out. Compiled kernels; see `outer`. An optimiser
        without state must step by `params − rate · gradient`, so that a step can be put off until the parameters are
        read again. None for other optimisers.
      rate: `(num_steps) -> rate`, one node, for `step_outer`.
      moments: `(params) -> moments`, the first ones, where they are part of the model; see `merged`. None where an
        optimiser keeps its state at its node.
    """

    init: Callable[..., Any]
    step: Callable[..., Any]
    step_outer: Callable[..., Any] | None = None
    rate: Callable[..., Any] | None = None
    moments: Callable[..., Any] | None = None


def from_scaling(
    build: Callable[..., optax.GradientTransformation],
    learning_rate: ArrayLike,
    rate_schedule: Callable[..., Any] | None = None,
    step_outer: Callable[..., Any] | None = None,
    **numbers: ArrayLike,
) -> Optimizer:
    """Makes an optimiser of a transformation that gives a direction; one program serves all its numbers.

    Args:
      build: an optax function such as `optax.scale_by_adam`, called with `numbers` while compiling.
      learning_rate: the base rate, the same for all nodes.
      rate_schedule: `(num_steps) -> factor` for the base rate, one of `RATE_SCHEDULES`; None keeps it.
      step_outer: the step for outer products as in `Optimizer`, with `numbers` as further arguments, by keyword; or
        None.
      **numbers: what `build` takes, traced.

    Returns:
      The optimiser.

    Raises:
      InputError: the learning rate is no positive number.
    """
    learning_rate = check_number("learning_rate", learning_rate, above=0)
    if rate_schedule is not None and not callable(rate_schedule):
        raise InputError(f"rate_schedule: got {rate_schedule!r}, and a function of the step count, or None, is needed")
    factor = constant() if rate_schedule is None else rate_schedule
    rate = Partial(
        _rate, learning_rate=learning_rate, factor=factor if isinstance(factor, Partial) else Partial(factor)
    )
    init, step = _scaling_program(build)
    return Optimizer(
        init=Partial(init, **numbers),
        step=Partial(step, rate=rate, numbers=numbers),
        step_outer=None if step_outer is None else Partial(step_outer, **numbers),
        rate=rate,
    )


def _rate(num_steps: jax.Array, *, learning_rate: ArrayLike, factor: Callable[..., Any]) -> jax.Array:
    return learning_rate * factor(num_steps)


@functools.cache
def _scaling_program(build: Callable[..., optax.GradientTransformation]) -> tuple[Callable, Callable]:
    def init(params: Any, **numbers: ArrayLike) -> Any:
        return build(**numbers).init(params)

    def step(
        gradient: Any,
        opt_state: Any,
        params: Any,
        num_steps: jax.Array,
        *,
        rate: Callable[..., Any],
        numbers: dict[str, ArrayLike],
    ) -> tuple[Any, Any]:
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam mixes dtypes
            scale = rate(num_steps)
            direction, opt_state = build(**numbers).update(gradient, opt_state, params)
            moved = jax.tree.map(lambda p, d: (p - scale * d).astype(p.dtype), params, direction)
        return moved, opt_state

    return init, step


def from_optax(transformation: optax.GradientTransformation) -> Optimizer:
    """Wraps any optax optimiser as it is, learning rate included.

    Its numbers are part of the program: another object, even with equal numbers, is compiled anew. The optimisers of
    `jdgnn.learning.optimizers` are not.

    Args:
      transformation: for example `optax.adamw(1e-3)`.

    Returns:
      The optimiser; the same object is returned for the same transformation.

    Raises:
      InputError: this is no `optax.GradientTransformation`.

    Example:
      >>> import optax
      >>> optimizer = from_optax(optax.lion(1e-3))
    """
    if not isinstance(transformation, optax.GradientTransformation):
        raise InputError(
            f"optimizer: got {type(transformation).__name__}, and an optax.GradientTransformation is needed"
        )

    return _wrapped(transformation)


@functools.cache
def _wrapped(transformation: optax.GradientTransformation) -> Optimizer:
    def step(gradient: Any, opt_state: Any, params: Any, num_steps: jax.Array) -> tuple[Any, Any]:
        del num_steps
        with jax.numpy_dtype_promotion("standard"):
            updates, opt_state = transformation.update(gradient, opt_state, params)
            return optax.apply_updates(params, updates), opt_state

    return Optimizer(init=transformation.init, step=step)
