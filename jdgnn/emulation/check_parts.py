"""Whether parts give what the engine needs: found by shapes alone, before anything is computed."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from jdgnn.errors import InputError
from jdgnn.learning.layers import Layer
from jdgnn.learning.local_step import init_params
from jdgnn.learning.objectives import Objective
from jdgnn.learning.optimizers import Optimizer
from jdgnn.network.topology import Topology
from jdgnn.protocol.merging import MergeRule

ALONE = Topology(  # one node, no links
    senders=jax.ShapeDtypeStruct((0,), jnp.int32),  # type: ignore[arg-type]
    receivers=jax.ShapeDtypeStruct((0,), jnp.int32),  # type: ignore[arg-type]
    in_degree=jax.ShapeDtypeStruct((1,), jnp.int32),  # type: ignore[arg-type]
    in_offset=jax.ShapeDtypeStruct((1,), jnp.int32),  # type: ignore[arg-type]
    by_sender=jax.ShapeDtypeStruct((0,), jnp.int32),  # type: ignore[arg-type]
    out_degree=jax.ShapeDtypeStruct((1,), jnp.int32),  # type: ignore[arg-type]
    out_offset=jax.ShapeDtypeStruct((1,), jnp.int32),  # type: ignore[arg-type]
)


def shape_of(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Shapes of what a part's function gives.

    Args:
      what: the part and its member, as errors should name them.
      function: the function.
      *arguments: what it is called with, arrays or shapes.

    Returns:
      A tree of shapes.

    Raises:
      InputError: the function fails.
    """
    try:
        return jax.eval_shape(function, *arguments)
    except InputError:
        raise
    except Exception as error:  # whatever a user's function may raise
        raise InputError(f"{what}: it fails with {type(error).__name__}: {error}".split("\n")[0]) from error


def expect(what: str, given: Any, wanted: Any) -> None:
    """Raises InputError unless two trees of shapes are the same, dtypes included."""
    if _described(given) != _described(wanted):
        raise InputError(f"{what}: it gives {_described(given)}, and {_described(wanted)} is needed")


def layer_units(what: str, layer: Layer, num_features: int, dtype: DTypeLike) -> int:
    """Width of a layer's output for one node without neighbours.

    Raises:
      InputError: the layer cannot be applied, or gives no vector of the dtype of the features.
    """
    own = jax.ShapeDtypeStruct((num_features,), dtype)
    params = shape_of(f"{what}.init", lambda key: layer.init(key, num_features, dtype), _key())
    if not jax.tree.leaves(params):
        raise InputError(f"{what}.init: it gives no parameter, and a layer that can learn needs at least one")
    query = None if layer.query is None else shape_of(f"{what}.query", layer.query, params, own)
    aggregated = shape_of(f"{what}.aggregate", layer.aggregate, *_neighbourhood(own, query))
    one = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), aggregated)
    output = shape_of(f"{what}.apply", layer.apply, params, own, one)
    if not isinstance(output, jax.ShapeDtypeStruct) or len(output.shape) != 1 or output.dtype != dtype:
        raise InputError(
            f"{what}.apply: it gives {_described(output)}, and one vector {jnp.dtype(dtype)}[F'] is needed"
        )
    return output.shape[0]


def check_learning(
    what: str,
    layer: Layer,
    objective: Objective,
    optimizer: Optimizer,
    num_features: int,
    num_units: int,
    dtype: DTypeLike,
) -> None:
    """Raises InputError unless the objective gives a loss, and the optimiser gives parameters as they were."""
    params = shape_of(
        f"{what}: init",
        lambda key: init_params(layer, objective, key, num_features, num_units, dtype),
        _key(),
    )
    vectors, mask = jax.ShapeDtypeStruct((3, num_units), dtype), jax.ShapeDtypeStruct((3,), bool)
    own = jax.ShapeDtypeStruct((num_features,), dtype)

    def encode(own: Any, aggregated: Any) -> jax.Array:
        return jnp.zeros(num_units, dtype)

    def loss(params: Any, own: Any, vectors: Any, mask: Any, key: Any) -> Any:
        return objective.apply(params, encode, own, own, vectors, mask, vectors, mask, key)

    given = shape_of(f"{what}.apply", loss, params["objective"], own, vectors, mask, _key())
    if not isinstance(given, tuple) or len(given) != 2 or not isinstance(given[1], dict):
        raise InputError(f"{what}.apply: it gives {_described(given)}, and a pair (loss, dict of scalars) is needed")
    expect(f"{what}.apply", given[0], jax.ShapeDtypeStruct((), dtype))
    if any(leaf.shape for leaf in jax.tree.leaves(given[1])):
        raise InputError(f"{what}.apply: aux gives {_described(given[1])}, and a dict of scalars is needed")
    expect(
        f"{what}.is_defined",
        shape_of(f"{what}.is_defined", objective.is_defined, mask, mask),
        jax.ShapeDtypeStruct((), bool),
    )
    opt_state = shape_of("optimizer.init", optimizer.init, params)
    num_steps = jax.ShapeDtypeStruct((), jnp.int32)
    expect(
        "optimizer.step",
        shape_of("optimizer.step", optimizer.step, params, opt_state, params, num_steps),
        (params, opt_state),
    )


def check_merge(merge: MergeRule, params: Any) -> None:
    """Raises InputError unless a merge rule gives a model of the shape of those it takes; `params` are one node's."""
    age = jax.ShapeDtypeStruct((), jnp.int32)
    given = shape_of("merge", merge.merge, params, age, params, age, age)
    expect("merge", given, (params, age))


def _neighbourhood(own: Any, query: Any) -> tuple[Any, ...]:
    def stacked(leaf: Any, count: int) -> Any:
        return jax.ShapeDtypeStruct((count, *leaf.shape), leaf.dtype)

    queries = jax.tree.map(lambda leaf: stacked(leaf, 1), query)
    return stacked(own, 1), stacked(own, 0), jax.ShapeDtypeStruct((0,), bool), ALONE, queries


def _key() -> Any:
    return jax.eval_shape(lambda: jax.random.key(0))


def _described(shapes: Any) -> str:
    described = jax.tree.map(lambda leaf: f"{leaf.dtype}{list(leaf.shape)}", shapes)
    return str(described).replace("'", "")
