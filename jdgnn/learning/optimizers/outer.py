"""Steps of the built-in optimisers for gradients that are outer products, by compiled kernels, for all nodes at once.

Axes: N nodes, n inputs of a linear map, F' units of a layer.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from jdgnn.backend import calls
from jdgnn.backend.calls import Affine, Step

Params = dict[str, Any]


def affine(linear: dict[str, jax.Array]) -> Affine:
    """A linear map of all nodes as the kernels take it; without a bias, that is an array without columns."""
    kernel = linear["kernel"]
    return Affine(kernel, linear.get("bias", jnp.zeros((kernel.shape[0], 0), kernel.dtype)))


def linear(new: Affine) -> dict[str, jax.Array]:
    """The inverse of `affine`."""
    return {"kernel": new.matrix} | ({"bias": new.bias} if new.bias.shape[1] else {})


def descend(
    params: Params,
    opt_state: Any,
    inputs: dict[str, jax.Array],
    gradient: jax.Array,
    rate: jax.Array,
    is_stepping: jax.Array,
) -> tuple[Params, Any]:
    """Gradient descent; see `Optimizer.step_outer`."""
    scaled = rate[:, None] * gradient
    layer = {
        name: linear(calls.descend(affine(params["layer"][name]), Step(vectors, scaled, is_stepping)))
        for name, vectors in inputs.items()
    }
    return params | {"layer": layer}, opt_state


def momentum(
    params: Params,
    opt_state: optax.TraceState,
    inputs: dict[str, jax.Array],
    gradient: jax.Array,
    rate: jax.Array,
    is_stepping: jax.Array,
    *,
    decay: Any,
) -> tuple[Params, optax.TraceState]:
    """Momentum as in `optax.trace`; see `Optimizer.step_outer`."""
    dtype, layer, trace = gradient.dtype, {}, {}
    for name, vectors in inputs.items():
        own, moved = calls.momentum(
            affine(params["layer"][name]),
            affine(opt_state.trace["layer"][name]),
            Step(vectors, gradient, is_stepping),
            rate,
            jnp.asarray(decay, dtype),
        )
        layer[name], trace[name] = linear(own), linear(moved)
    return params | {"layer": layer}, optax.TraceState(trace=opt_state.trace | {"layer": trace})


def adam(
    params: Params,
    opt_state: optax.ScaleByAdamState,
    inputs: dict[str, jax.Array],
    gradient: jax.Array,
    rate: jax.Array,
    is_stepping: jax.Array,
    *,
    b1: Any,
    b2: Any,
    eps: Any,
) -> tuple[Params, optax.ScaleByAdamState]:
    """Adam as in `optax.scale_by_adam`; see `Optimizer.step_outer`."""
    dtype, layer, mean, square = gradient.dtype, {}, {}, {}
    numbers = jnp.stack([jnp.asarray(number, dtype) for number in (b1, b2, eps)])
    count = optax.safe_increment(opt_state.count)
    corrections = 1 - numbers[:2] ** count[:, None].astype(dtype)
    scale = jnp.stack([rate / corrections[:, 0], 1 / corrections[:, 1]], axis=1)
    for name, vectors in inputs.items():
        new = calls.adam(
            affine(params["layer"][name]),
            affine(opt_state.mu["layer"][name]),
            affine(opt_state.nu["layer"][name]),
            Step(vectors, gradient, is_stepping),
            scale,
            numbers,
        )
        layer[name], mean[name], square[name] = map(linear, new)
    new_state = optax.ScaleByAdamState(
        count=jnp.where(is_stepping, count, opt_state.count),
        mu=opt_state.mu | {"layer": mean},
        nu=opt_state.nu | {"layer": square},
    )
    return params | {"layer": layer}, new_state
