"""The type of layers, and layers that begin with linear maps."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jdgnn.parts import ReadOff, as_partial, bound_to


class _Functions(NamedTuple):
    init: Callable[..., Any]
    apply: Callable[..., Any]
    aggregate: Callable[..., Any]
    query: Callable[..., Any] | None = None


class Layer(ReadOff, _Functions):
    """One GNN layer: the computation of one node, and the aggregation of the vectors that its in-neighbours sent.

    Axes: N nodes, E directed edges, F input features, F' output features.

    Members:
      init: `(key, num_features, dtype) -> params`, the parameters of one node as a tree of arrays.
      apply: `(params, own [F], aggregated [F]) -> [F']`, one node. If it begins with linear maps, make it by
        `jdgnn.layers.of_maps`: the gradient of a kernel is then an outer product, and a step needs one pass over the
        parameters.
      aggregate: `(own [N, F], received [E, F], received_mask [E], topology, query) -> [N, ...]`, over the ragged edges;
        edges whose mask is False have delivered nothing yet and must not count. See `jdgnn.learning.aggregation`.
      query: `(params, own [F]) -> array`, one node, for attention: `aggregate` gets all nodes' queries [N, ...] and may
        weigh received vectors by them, so that no edge is ever multiplied by a node's matrix. None if not needed.

    Received vectors are constants; parameters inside `query` and `apply` are trained.
    """

    __slots__ = ()
    facts: ClassVar = dict.fromkeys(
        ("inputs", "finish"), "apply=jdgnn.layers.of_maps(inputs, finish), which computes by them"
    )

    def __new__(
        cls,
        init: Callable[..., Any],
        apply: Callable[..., Any],
        aggregate: Callable[..., Any],
        query: Callable[..., Any] | None = None,
        *,
        inputs: Callable[..., Any] | None = None,
        finish: Callable[..., Any] | None = None,
    ) -> "Layer":
        """Makes a layer; `inputs` and `finish`, arguments of earlier versions, are ignored with a warning."""
        layer = super().__new__(cls, init, apply, aggregate, query)
        layer._tell_unused(inputs=inputs, finish=finish)
        return layer

    @property
    def inputs(self) -> Callable[..., dict[str, jax.Array]] | None:
        """The function `(own [F], aggregated [F]) -> {name: [n]}`, inputs of the linear maps; None for other layers."""
        return (bound_to(apply_maps, self.apply) or {}).get("inputs")

    @property
    def finish(self) -> Callable[..., jax.Array] | None:
        """The function `([F']) -> [F']` of the sum of all linear maps; None for other layers."""
        return (bound_to(apply_maps, self.apply) or {}).get("finish")


def of_maps(inputs: Callable[..., dict[str, jax.Array]], finish: Callable[..., jax.Array]) -> Partial:
    """Makes the `apply` of a layer that begins with linear maps.

    Args:
      inputs: `(own [F], aggregated [F]) -> {name: [n]}`, one node: the input of each map. The layer's
        parameters must be a dict of the same names, each `{"kernel": [n, F'], "bias": [F']}` or without the bias.
      finish: `([F']) -> [F']`, one node: a function of the sum of all maps and biases.

    Returns:
      `(params, own, aggregated) -> [F']`.

    Raises:
      InputError: one of them is not a function.

    Example:
      >>> double = of_maps(lambda own, aggregated: {"only": own}, lambda total: 2 * total)
      >>> double({"only": {"kernel": jnp.eye(2)}}, jnp.arange(2.0), None).tolist()
      [0.0, 2.0]
    """
    return Partial(apply_maps, inputs=as_partial("inputs", inputs), finish=as_partial("finish", finish))


def apply_maps(
    params: dict[str, Any],
    own: jax.Array,
    aggregated: jax.Array,
    *,
    inputs: Callable[..., dict[str, jax.Array]],
    finish: Callable[..., jax.Array],
) -> jax.Array:
    """The `apply` of layers that begin with linear maps."""
    first, *others = (_mapped(params[name], vector) for name, vector in inputs(own, aggregated).items())
    return finish(sum(others, start=first))


def _mapped(linear: dict[str, jax.Array], vector: jax.Array) -> jax.Array:
    dtype = jnp.result_type(vector, *linear.values())
    product = jnp.dot(vector.astype(dtype), linear["kernel"].astype(dtype))
    return product + linear["bias"].astype(dtype) if "bias" in linear else product
