"""Which operations of a wake use compiled kernels in place, and why others do not."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.backend import calls
from jdgnn.backend.backend import Backend
from jdgnn.backend.backend import backend as of_process
from jdgnn.backend.per_node import per_node
from jdgnn.backend.way import is_for_accelerators, why_not
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State
from jdgnn.learning.local_step import EncodesOthersError, Received, finishing_loss

DTYPES = (jnp.float32, jnp.float64)


def why_not_in_place(spec: Spec) -> str | None:
    """Why the emulator's backend does nothing in place; None if it can."""
    return None if is_for_accelerators(spec.backend) else why_not(spec.backend)


def backend_of(spec: Spec) -> Backend:
    """The backend that an emulator computes with in this process."""
    return of_process(spec.backend, spec.cores)


def why_folded(spec: Spec, state: State, backend: Backend) -> str | None:
    """Why models are not merged in place; None if they are."""
    if spec.param_dtype is not None and backend.blocks:
        return f"param_dtype is {spec.param_dtype}, and kernels compute in the precision parameters are kept in"
    if spec.active_fraction is not None and backend.blocks:
        return "active_fraction is given, which has a path of its own"
    dtype = state.embeddings[0].dtype
    is_other = spec.param_dtype is None and any(leaf.dtype != dtype for leaf in jax.tree.leaves(state.params))
    if dtype not in DTYPES or is_other:
        return f"parameters are not all {dtype}, in which nodes compute"
    gossip = spec.gossip
    if gossip is not None and gossip.content is not None:
        return "gossip.content is given, and each message is decoded before it is merged"
    if gossip is not None and gossip.merge.merge_all is not None:
        return "gossip.merge sees the whole inbox, and models are merged in place one after another"
    if gossip is not None and gossip.merge.weigh is None:
        return "gossip.merge is no weighted mean"
    if gossip is not None and gossip.capacity > calls.MOST_SLOTS:
        return f"gossip.capacity is {gossip.capacity}, and models can be merged in place up to {calls.MOST_SLOTS}"
    return None


def why_apart(spec: Spec, state: State, index: int, own: Any) -> str | None:
    """Why layer `index` does not learn in the pass that merges it; None if it does.

    `own` [N, F] is its input; it and the state may be shapes.
    """
    layer, params = spec.layers[index], state.params[index]
    if layer.inputs is None or layer.finish is None:
        return "it does not begin with linear maps"
    if not _are_maps(params["layer"], jax.eval_shape(per_node(layer.inputs), own, own)):
        return "it has other parameters than those of its linear maps"
    if layer.query is not None:
        return "it has a query, whose parameters are trained through what is aggregated"
    if jax.tree.leaves(params["objective"]):
        return "its objective has parameters"
    if spec.param_dtype is None and any(leaf.dtype != own.dtype for leaf in jax.tree.leaves(params)):
        return f"it has parameters of another precision than {own.dtype}, which enters it"
    try:
        jax.eval_shape(lambda: _loss(spec, index, own, state))
    except EncodesOthersError:
        return "its objective encodes other vectors than the node's own"
    return None


def why_written_out(spec: Spec) -> str | None:
    """Why gradients of layers that learn in place are written out; None if steps need only their factors."""
    if getattr(spec.optimizer, "step_outer", None) is None:
        return "the optimizer has no step for outer products; adam, momentum and sgd of jdgnn have"
    return None


def reasons(spec: Spec, state: State, features: Any) -> Iterator[tuple[str, str | None]]:
    """Each operation of a wake, and why it does not use compiled kernels; None if it does."""
    folded = why_not_in_place(spec) or why_folded(spec, state, backend_of(spec))
    yield "merge", folded
    written = why_written_out(spec)
    for index, own in enumerate((features, *state.embeddings[:-1])):
        apart = folded or why_apart(spec, state, index, own)
        yield f"layers[{index}]", apart
        if apart is None:
            yield f"step of layers[{index}]", written


def why_plain(spec: Spec, state: State, features: Any) -> str | None:
    """Which operations of a wake do not use compiled kernels, and why; None if all do. Arrays may be shapes."""
    if (reason := why_not_in_place(spec)) is not None:
        return reason
    names: dict[str | None, list[str]] = {}
    for name, reason in reasons(spec, state, features):
        names.setdefault(reason, []).append(name)
    if len(names) == 1:
        return next(iter(names))
    names.pop(None, None)
    return "; ".join(f"{', '.join(of)}: {reason}" for reason, of in names.items())


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


def _loss(spec: Spec, index: int, own: Any, state: State) -> Any:
    """The loss of one node, for its shape alone."""
    embedding, (first, *_) = state.embeddings[index], state.params[index]["layer"].values()
    own, dtype = jnp.zeros(own.shape[1:], own.dtype), embedding.dtype
    linear = jnp.zeros(first["kernel"].shape[-1:], dtype)
    others, mask = jnp.zeros((1, *embedding.shape[1:]), dtype), jnp.ones(1, bool)
    compared = Received(positives=others, pos_mask=mask, negatives=others, neg_mask=mask)
    return finishing_loss(spec.layers[index], spec.objectives[index], linear, own, own + 0, compared, jax.random.key(0))
