"""Graph attention."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from jdgnn.checks import check_count, check_flag
from jdgnn.errors import InputError
from jdgnn.learning.aggregation import attention
from jdgnn.learning.layers.layer import Layer
from jdgnn.learning.layers.linear_maps import check_dense, finish
from jdgnn.learning.layers.modules import from_nnx


def gat(units: int, activation: str = "leaky_relu", normalize: bool = True, heads: int = 1, own: bool = False) -> Layer:
    """Graph attention: a linear map of a mean over a node and its in-neighbours, weighted by the node's query.

    Node v weighs u by softmax of leaky(aₛ·W x_u + aₜ·W x_v), with its own W and a. As aₛ·W x_u = (Wᵀaₛ)·x_u, the
    query is one vector per head, and W is applied to the mean: nothing per edge is multiplied by a matrix.
    Source: Velickovic et al., "Graph Attention Networks", arXiv 1710.10903.

    Args:
      units: width of the output, F'; all heads side by side.
      activation: one of `identity`, `leaky_relu` (slope 0.25), `relu`, `tanh`.
      normalize: scale the output to length one.
      heads: H, a divisor of `units`.
      own: add another linear map of the node's own vector.

    Returns:
      The layer; its parameters are a kernel [H, F, F'/H], two attention vectors [H, F'/H] and a bias [F'], with
      `own` another kernel [F, F'].

    Raises:
      InputError: an argument is invalid.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> layer = gat(units=4, heads=2)
      >>> params = layer.init(jax.random.key(0), 3, jnp.float32)
      >>> layer.apply(params, jnp.zeros(3), jnp.ones((2, 3))).shape
      (4,)
    """
    check_dense(units, activation, normalize)
    check_count("heads", heads)
    check_flag("own", own)
    if units % heads:
        raise InputError(f"heads: expected a divisor of units={units}, got {heads}")
    return from_nnx(_module(units, heads, activation, normalize, own), attention, query="ask")


@functools.cache
def _module(units: int, heads: int, activation: str, normalize: bool, has_own: bool) -> Callable[..., nnx.Module]:
    width = units // heads

    class GraphAttention(nnx.Module):
        def __init__(self, num_features: int, *, rngs: nnx.Rngs, param_dtype: DTypeLike) -> None:
            matrices = nnx.initializers.lecun_normal(batch_axis=0)
            self.kernel = nnx.Param(matrices(rngs.params(), (heads, num_features, width), param_dtype))
            vectors = nnx.initializers.lecun_normal(in_axis=-1, out_axis=-2)
            self.sender = nnx.Param(vectors(rngs.params(), (heads, width), param_dtype))
            self.receiver = nnx.Param(vectors(rngs.params(), (heads, width), param_dtype))
            self.bias = nnx.Param(jnp.zeros(units, param_dtype))
            if has_own:
                self.own = nnx.Linear(num_features, units, use_bias=False, rngs=rngs, param_dtype=param_dtype)

        def ask(self, own: jax.Array) -> dict[str, jax.Array]:
            keys = jnp.einsum("hfw,hw->hf", self.kernel[...], self.sender[...])
            offset = jnp.einsum("f,hfw,hw->h", own, self.kernel[...], self.receiver[...])
            return {"key": keys, "offset": offset}

        def __call__(self, own: jax.Array, aggregated: jax.Array) -> jax.Array:
            mapped = jnp.einsum("hf,hfw->hw", aggregated, self.kernel[...]).ravel() + self.bias[...]
            return finish(mapped + self.own(own) if has_own else mapped, activation, normalize)

    return GraphAttention
