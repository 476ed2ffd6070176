"""The type of optimisers, and optimisers made from optax."""

import functools
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax
import optax
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.errors import InputError
from jdgnn.learning.optimizers.schedules import constant
from jdgnn.parts import ReadOff, bound_to


class _Functions(NamedTuple):
    init: Callable[..., Any]
    step: Callable[..., Any]
    moments: Callable[..., Any] | None = None


class Optimizer(ReadOff, _Functions):
    """Moves one layer of one node down its gradient.

    Members:
      init: `(params) -> opt_state`.
      step: `(gradient, opt_state, params, num_steps) -> (params, opt_state)`, where `num_steps` counts the previous
        steps of this layer of this node.
      moments: `(params) -> moments`, the initial moments if they are part of the model; see `merged`. None if the
        optimiser keeps all its state at its node.
    """

    __slots__ = ()
    facts: ClassVar = dict.fromkeys(
        ("step_outer", "rate"), "jdgnn.optimizers.from_scaling(...), which makes steps that have both"
    )

    def __new__(
        cls,
        init: Callable[..., Any],
        step: Callable[..., Any],
        moments: Callable[..., Any] | None = None,
        *,
        step_outer: Callable[..., Any] | None = None,
        rate: Callable[..., Any] | None = None,
    ) -> "Optimizer":
        """Makes an optimiser; `step_outer` and `rate`, arguments of earlier versions, are ignored with a warning."""
        optimizer = super().__new__(cls, init, step, moments)
        optimizer._tell_unused(step_outer=step_outer, rate=rate)
        return optimizer

    @property
    def step_outer(self) -> Callable[..., Any] | None:
        """The same step of all nodes at once for gradients that are outer products; None for other optimisers.

        `(params, opt_state, inputs, gradient, rate [N], is_stepping [N]) -> (params, opt_state)`, for layers that begin
        with linear maps: the gradient of each kernel is the outer product of its `inputs` [N, n] and `gradient`
        [N, F'], which is never formed. Made of compiled kernels; see `outer`.
        """
        facts = step_facts(self.step)
        return None if facts is None else facts.outer

    @property
    def rate(self) -> Callable[..., Any] | None:
        """The function `(num_steps) -> rate` of one node for `step_outer`; None for other optimisers."""
        facts = step_facts(self.step)
        return None if facts is None else facts.rate


class _Outer(NamedTuple):
    """A step for outer products, and the direction that it belongs to: with another direction it does not apply."""

    step: Partial
    build: Partial


class StepFacts(NamedTuple):
    """Further facts about a step; see `Optimizer`."""

    outer: Callable[..., Any]
    rate: Callable[..., Any]


Reader = Callable[[dict[str, Any]], StepFacts | None]
READERS: list[tuple[Callable[..., Any], Reader]] = []
"""Functions that steps are made of, each with a reader of facts from the arguments bound to it."""


def step_facts(step: Any) -> StepFacts | None:
    """The facts about a step, if it is one of `READERS` with arguments bound to it."""
    for base, read in READERS:
        if (bound := bound_to(base, step)) is not None:
            return read(bound)
    return None


def from_scaling(
    build: Callable[..., optax.GradientTransformation],
    learning_rate: ArrayLike,
    rate_schedule: Callable[..., Any] | None = None,
    step_outer: Callable[..., Any] | None = None,
    **numbers: ArrayLike,
) -> Optimizer:
    """Makes an optimiser from an optax function that gives a direction; one program serves all its numbers.

    Args:
      build: an optax function such as `optax.scale_by_adam`, called with `numbers` while compiling.
      learning_rate: the base rate, the same for all nodes.
      rate_schedule: `(num_steps) -> factor` of the base rate, such as one of `RATE_SCHEDULES`; None keeps the rate.
      step_outer: the same step for outer products, as `Optimizer.step_outer`, with `numbers` as further arguments, by
        keyword; or None.
      **numbers: arguments of `build`, traced.

    Returns:
      The optimiser.

    Raises:
      InputError: the learning rate is not a positive number.

    Example:
      >>> import optax
      >>> optimizer = from_scaling(optax.scale_by_lion, 1e-3, b1=0.9)
      >>> optimizer.step_outer is None
      True
    """
    learning_rate = check_number("learning_rate", learning_rate, above=0)
    if rate_schedule is not None and not callable(rate_schedule):
        raise InputError(f"rate_schedule: expected a function of the step count, or None, got {rate_schedule!r}")
    factor = constant() if rate_schedule is None else rate_schedule
    rate = Partial(
        _rate, learning_rate=learning_rate, factor=factor if isinstance(factor, Partial) else Partial(factor)
    )
    made = Partial(build)
    outer = {} if step_outer is None else {"outer": _Outer(Partial(step_outer), made)}
    return Optimizer(
        init=Partial(_init, build=made, numbers=numbers),
        step=Partial(_step, build=made, rate=rate, numbers=numbers, **outer),
    )


def _rate(num_steps: jax.Array, *, learning_rate: ArrayLike, factor: Callable[..., Any]) -> jax.Array:
    with jax.numpy_dtype_promotion("standard"):  # users' schedules mix dtypes
        return learning_rate * factor(num_steps)


def _init(params: Any, *, build: Callable[..., optax.GradientTransformation], numbers: dict[str, ArrayLike]) -> Any:
    return build(**numbers).init(params)


def _step(
    gradient: Any,
    opt_state: Any,
    params: Any,
    num_steps: jax.Array,
    *,
    build: Callable[..., optax.GradientTransformation],
    rate: Callable[..., Any],
    numbers: dict[str, ArrayLike],
    outer: _Outer | None = None,
) -> tuple[Any, Any]:
    del outer  # this step as compiled kernels, read by `_read`
    with jax.numpy_dtype_promotion("standard"):  # optax's Adam mixes dtypes
        scale = rate(num_steps)
        direction, opt_state = build(**numbers).update(gradient, opt_state, params)
        moved = jax.tree.map(lambda p, d: (p - scale * d).astype(p.dtype), params, direction)
    return moved, opt_state


def _read(bound: dict[str, Any]) -> StepFacts | None:
    outer = bound.get("outer")
    if outer is None:
        return None
    structures: list[Any] = [jax.tree.structure(build) for build in (outer.build, bound["build"])]
    if structures[0] != structures[1]:
        return None
    return StepFacts(Partial(outer.step.func, **bound["numbers"]), bound["rate"])


READERS.append((_step, _read))


def from_optax(transformation: optax.GradientTransformation) -> Optimizer:
    """Wraps any optax optimiser as it is, learning rate included.

    Its numbers are part of the program: another object, even with equal numbers, is compiled again, unlike the
    optimisers of `jdgnn.optimizers`.

    Args:
      transformation: for example `optax.adamw(1e-3)`.

    Returns:
      The optimiser; the same object is returned for the same transformation.

    Raises:
      InputError: this is not an `optax.GradientTransformation`.

    Example:
      >>> import optax
      >>> optimizer = from_optax(optax.lion(1e-3))
    """
    if not isinstance(transformation, optax.GradientTransformation):
        raise InputError(f"optimizer: expected an optax.GradientTransformation, got {type(transformation).__name__}")

    return _wrapped(transformation)


@functools.cache
def _wrapped(transformation: optax.GradientTransformation) -> Optimizer:
    def step(gradient: Any, opt_state: Any, params: Any, num_steps: jax.Array) -> tuple[Any, Any]:
        del num_steps
        with jax.numpy_dtype_promotion("standard"):
            updates, opt_state = transformation.update(gradient, opt_state, params)
            return optax.apply_updates(params, updates), opt_state

    return Optimizer(init=transformation.init, step=step)
