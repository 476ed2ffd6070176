"""Checks for non-finite numbers."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.errors import NonFiniteError
from jdgnn.reference.message import Message
from jdgnn.reference.node import Node


def stop_at_nonfinite(
    node: Node, stage: str, layers: Mapping[int, Any], inputs: Any = (), message: Message | None = None
) -> None:
    """Raises NonFiniteError if a tree of arrays holds a non-finite number.

    Args:
      node: the node.
      stage: what the trees are.
      layers: a tree of each layer, by its number.
      inputs: what they were computed from; the error reports its largest number.
      message: the message that they came with; None for numbers that the node computed.

    Raises:
      NonFiniteError: it names the first such layer, and a message that the number may have come from.
    """
    for layer, value in layers.items():
        if is_finite(value):
            continue
        top = largest(inputs)
        size = "" if top is None else f" (largest input {top:.2g})"
        origin, message = carrier(node, stage, layer, message)
        raise NonFiniteError(
            f"tick {node.tick}, node {node.number}, layer {layer}: the {stage} is not finite{size}{origin}",
            tick=node.tick,
            node=node.number,
            layer=layer,
            stage=stage,
            message=message,
        )


def carrier(node: Node, stage: str, layer: int, message: Message | None) -> tuple[str, Message | None]:
    """The end of the error's sentence, and the message that it names, if any."""
    about = ": {}"
    if message is None and stage == "aggregated vector":
        about, message = "; its largest part is {}", heaviest(node, layer - 1) if layer else None
    elif message is None:
        about, message = "; it had just merged {}", node.merged[-1] if node.merged else None
    return "" if message is None else about.format(message), message


def heaviest(node: Node, layer: int) -> Message | None:
    """The message in the mailbox whose embedding of a layer has the largest or a non-finite entry."""

    def weight(message: Message) -> float:
        vector = message.payload[layer]
        return (largest(vector) or 0.0) if is_finite(vector) else float("inf")

    return max((message for _, message in sorted(node.mailbox.items())), key=weight, default=None)


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
