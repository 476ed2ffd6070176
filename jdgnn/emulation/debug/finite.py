"""Stopping at the first number that is not finite."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.emulation.debug.message import Message
from jdgnn.errors import NonFiniteError


class Place(NamedTuple):
    """Where something is computed."""

    tick: int
    node: int
    layer: int


def check_layers(
    place: Place, stage: str, layers: Sequence[Any], *, about: str = "", message: Message | None = None
) -> None:
    """Raises NonFiniteError that names the first layer whose tree holds a number that is not finite; see `check`."""
    for index, layer in enumerate(layers):
        check(place._replace(layer=index), stage, layer, about=about, message=message)


def check(
    place: Place,
    stage: str,
    value: Any,
    *,
    inputs: Any = (),
    about: str = "; it had just merged {}",
    message: Message | None = None,
) -> None:
    """Raises NonFiniteError if a tree of arrays holds a number that is not finite.

    Args:
      place: tick, node and layer.
      stage: what the value is.
      value: the tree.
      inputs: what it was computed from, of which the largest number is told.
      about: how the message is brought up, with {} in its place.
      message: what the number may have come from; None for nothing.

    Raises:
      NonFiniteError: as said.
    """
    if is_finite(value):
        return
    top = largest(inputs)
    size = "" if top is None else f" (largest input {top:.2g})"
    origin = "" if message is None else about.format(message)
    tick, node, layer = place
    raise NonFiniteError(
        f"tick {tick}, node {node}, layer {layer}: the {stage} is not finite{size}{origin}",
        tick=tick,
        node=node,
        layer=layer,
        stage=stage,
        message=message,
    )


def is_finite(tree: Any) -> bool:
    """Whether all floating-point numbers of a tree are finite."""
    return all(np.isfinite(leaf).all() for leaf in _numbers(tree))


def largest(tree: Any) -> float | None:
    """The largest finite absolute value in a tree; None if there is none."""
    tops = [np.abs(leaf[np.isfinite(leaf)]).max(initial=0) for leaf in _numbers(tree)]
    return float(max(tops)) if tops else None


def _numbers(tree: Any) -> list[np.ndarray]:
    leaves = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(jnp.result_type(leaf), jnp.inexact)]
    return [np.asarray(leaf) for leaf in leaves]
