"""When the kernels of `fused` are used: wherever they give what the plain path gives."""

from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.emulation.modes import has_pool
from jdgnn.emulation.per_node import per_node
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State
from jdgnn.kernels import calls, library
from jdgnn.learning.local_step import EncodesOthersError, Received, finishing_loss

DTYPES = (jnp.float32, jnp.float64)


def why_plain(emulator: Spec, state: State, features: Any) -> str | None:
    """Why the compiled kernels are not used.

    Args:
      emulator: the parts.
      state: all nodes, or their shapes.
      features: what each node measures [N, F0], or its shape.

    Returns:
      The first reason there is; None if they are used.
    """
    if emulator.kernels is False:
        return "they are switched off"
    reason = _of_settings(emulator) or _of_gossip(emulator)
    if reason is not None:
        return reason
    inputs = (features, *state.embeddings)
    for index in range(len(emulator.layers)):
        if (reason := _of_layer(emulator, state, index, inputs[index])) is not None:
            return reason
    return library.why_not()


def _of_settings(emulator: Spec) -> str | None:
    if emulator.param_dtype is not None:
        return f"param_dtype is {emulator.param_dtype}, and kernels compute in the precision parameters are kept in"
    if emulator.awake_share is not None:
        return "awake_share is given, which has a path of its own"
    if getattr(emulator.optimizer, "step_outer", None) is None:
        return "the optimizer has no step for outer products; adam, momentum and sgd of jdgnn have"
    return None


def _of_gossip(emulator: Spec) -> str | None:
    gossip = emulator.gossip
    if gossip is None:
        return None
    if gossip.merge.weigh is None:
        return "gossip.merge is no weighted mean"
    if gossip.order == "train_then_merge":
        return "gossip.order is train_then_merge"
    most = calls.MOST_SLOTS if has_pool(emulator.traffic) else 1
    if gossip.capacity > most:
        return f"gossip.capacity is {gossip.capacity}, and models can be merged in place up to {most}"
    return None


def _of_layer(emulator: Spec, state: State, index: int, own: Any) -> str | None:
    layer, params = emulator.layers[index], state.params[index]
    if layer.inputs is None or layer.finish is None:
        return f"layers[{index}] does not begin with linear maps"
    if not _are_maps(params["layer"], jax.eval_shape(per_node(layer.inputs), own, own)):
        return f"layers[{index}] has other parameters than those of its linear maps"
    if layer.query is not None:
        return f"layers[{index}] has a query, whose parameters are trained through what is aggregated"
    if jax.tree.leaves(params["objective"]):
        return f"objective[{index}] has parameters"
    if any(leaf.dtype not in DTYPES for leaf in jax.tree.leaves(params)):
        return f"layers[{index}] is neither float32 nor float64"
    if any(leaf.dtype != own.dtype for leaf in jax.tree.leaves(params)):
        return f"layers[{index}] has parameters of another precision than {own.dtype}, which enters it"
    try:
        jax.eval_shape(lambda: _loss(emulator, index, own, state))
    except EncodesOthersError:
        return f"objective[{index}] encodes other vectors than the node's own"
    return None


def _are_maps(params: Any, inputs: dict[str, Any]) -> bool:
    """Whether parameters [N, ...] are a kernel [n, F'] for each input [N, n], perhaps with a bias, and nothing else."""
    if not isinstance(params, dict) or params.keys() != inputs.keys():
        return False
    maps = [(inputs[name].shape, linear) for name, linear in params.items()]
    if not all(isinstance(linear, dict) and {"kernel"} <= linear.keys() <= {"kernel", "bias"} for _, linear in maps):
        return False
    (num_nodes, *_), first = maps[0]
    width = first["kernel"].shape[-1]
    return all(
        linear["kernel"].shape == (*shape, width)
        and ("bias" not in linear or linear["bias"].shape == (num_nodes, width))
        for shape, linear in maps
    )


def _loss(emulator: Spec, index: int, own: Any, state: State) -> Any:
    """The loss of one node, for its shape alone."""
    embedding, (first, *_) = state.embeddings[index], state.params[index]["layer"].values()
    own, dtype = jnp.zeros(own.shape[1:], own.dtype), embedding.dtype
    linear = jnp.zeros(first["kernel"].shape[-1:], dtype)
    others, mask = jnp.zeros((1, *embedding.shape[1:]), dtype), jnp.ones(1, bool)
    compared = Received(positives=others, pos_mask=mask, negatives=others, neg_mask=mask)
    return finishing_loss(
        emulator.layers[index], emulator.objectives[index], linear, own, own + 0, compared, jax.random.key(0)
    )
