"""Layers that learn while they are merged: a layer that begins with linear maps is multiplied in the same pass.

The gradient of such a layer is an outer product, so two vectors per node describe a step. A step of plain descent is
deferred: the next tick reads all parameters anyway, and makes it while it merges. Optimisers with state step in a
second pass, and gradients are written out for those without a step for outer products. Axes: N nodes, F features that
enter a layer, F' that leave it.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jdgnn.backend import bfloat16
from jdgnn.backend.accelerator import node_major
from jdgnn.backend.backend import Backend
from jdgnn.backend.calls import Rounding, Step
from jdgnn.backend.per_node import per_node
from jdgnn.backend.rows import by_block, some_at_a_time, take
from jdgnn.emulation.context import Tick
from jdgnn.emulation.merge import MergedInPlace
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State
from jdgnn.emulation.train import Learned, Seen, aggregated, awake, embedded, nothing, seeds_of
from jdgnn.emulation.views import chosen, received
from jdgnn.emulation.ways import why_plain, why_written_out
from jdgnn.learning.local_step import finishing_loss, keys_of, local_update, viewed
from jdgnn.learning.optimizers import Optimizer
from jdgnn.learning.optimizers.outer import affine, descend, linear
from jdgnn.parts import bound_to
from jdgnn.protocol.events import node_keys
from jdgnn.protocol.transport import transport_of


class Gradient(NamedTuple):
    """The gradient of a layer that begins with linear maps, as outer products of their inputs and their sum."""

    inputs: dict[str, jax.Array]  # [N, F] each
    linear: jax.Array  # [N, F']


def learn_in_place(
    tick: Tick, state: State, index: int, merged: MergedInPlace, own: jax.Array, nodes: jax.Array | None
) -> Learned:
    """Trains one layer at some nodes [n], None for all; `own` [N, F] is its input at each node."""
    layer, objective = tick.spec.layers[index], tick.spec.objectives[index]
    assert layer.inputs is not None
    assert layer.finish is not None
    combined = aggregated(tick, state, index, None, own, nodes)
    own = take(own, nodes)
    keys = per_node(keys_of, shared=(0,))(objective, take(node_keys(tick.events, index, state.num_nodes), nodes))
    seen = per_node(viewed, shared=(0,))(objective, own, combined, keys[0])
    inputs = per_node(layer.inputs)(*seen)
    given = [inputs] if objective.view is None else [inputs, per_node(layer.inputs)(own, combined)]
    params, sums = merged.multiplied(index, given)

    def learn(rows: Any) -> Any:
        total, seen, compared, key = rows
        gradient = per_node(jax.value_and_grad(finishing_loss, argnums=2, has_aux=True), shared=(0, 1))
        others = received(tick, state, index, compared)
        return gradient(layer, objective, total, *seen, others, key)

    rows = (sums[:, 0], seen, take(chosen(state, tick.events, index), nodes), keys[1])
    if tick.spec.order == "merge_only":
        (loss, (_, is_defined, aux)), _ = nothing(jax.eval_shape(learn, rows))
        embedding = embedded(tick, state, index, per_node(layer.finish)(sums[:, -1]), nodes)
        return Learned.of_layer(params, take(state.opt_state[index], nodes), embedding, Seen(loss, is_defined, aux))
    (loss, (rows, is_defined, aux)), of_linear = some_at_a_time(learn, rows, blocks=tick.backend.blocks)
    is_stepping = awake(tick, is_defined, nodes)
    moved = _step(tick, state, index, params, Gradient(inputs, of_linear), is_stepping, nodes)
    rows = rows if objective.view is None else per_node(layer.finish)(sums[:, -1])
    told = Seen(jnp.where(is_stepping, loss, 0), is_stepping, aux)
    return Learned.of_layer(
        moved.params, moved.opt_state, embedded(tick, state, index, rows, nodes), told, moved.pending
    )


class _Moved(NamedTuple):
    """The result of a step."""

    params: Any
    opt_state: Any
    pending: Any = None  # the step, if it is deferred


def _step(
    tick: Tick,
    state: State,
    index: int,
    params: dict[str, Any],
    gradient: Gradient,
    is_stepping: jax.Array,
    nodes: jax.Array | None,
) -> _Moved:
    optimizer = tick.spec.optimizer
    opt_state, num_steps = take((state.opt_state[index], state.num_steps[:, index]), nodes)
    assert isinstance(optimizer, Optimizer)
    is_deferred = state.pending is not None
    if why_written_out(tick.spec) is not None or not (is_deferred or tick.backend.has_outer_steps):
        update = per_node(_written_out, shared=(0,))
        seed = seeds_of(tick, index, state.num_nodes, nodes)
        if not tick.backend.blocks:
            moved = update(optimizer, *node_major((params, opt_state)), gradient, num_steps, is_stepping, seed)
            return _Moved(*node_major(moved))
        held, _ = by_block(
            lambda held, rows: (update(optimizer, *held, *rows), ()),
            (params, opt_state),
            (gradient, num_steps, is_stepping, seed),
            blocks=tick.backend.blocks,
        )
        return _Moved(*held)
    assert optimizer.rate is not None
    assert optimizer.step_outer is not None
    inputs, of_linear = gradient
    rate = jnp.asarray(per_node(optimizer.rate)(num_steps), of_linear.dtype)
    if state.pending is not None:
        scaled, seed = rate[:, None] * of_linear, seeds_of(tick, index, state.num_nodes, nodes)
        steps = {
            name: Step(vectors, scaled, is_stepping, _rounding(params, name, seed)) for name, vectors in inputs.items()
        }
        return _Moved(params, opt_state, steps)
    return _Moved(*optimizer.step_outer(params, opt_state, inputs, of_linear, rate, is_stepping))


def _rounding(params: dict[str, Any], name: str, seed: jax.Array | None) -> Rounding | None:
    """The seeds by which a linear map of a layer with these parameters is rounded; None where nothing is."""
    if seed is None:
        return None
    leaves, structure = jax.tree.flatten(params)
    numbers = jax.tree.unflatten(structure, range(len(leaves)))["layer"][name]
    return Rounding(*(bfloat16.leaf_seed(seed, numbers.get(part, 0)) for part in ("kernel", "bias")))


def _written_out(
    optimizer: Optimizer,
    params: Any,
    opt_state: Any,
    gradient: Gradient,
    num_steps: jax.Array,
    is_stepping: jax.Array,
    seed: jax.Array | None,
) -> tuple[Any, Any]:
    """A step of one node along its gradient as a tree of parameters, zero where nothing is an outer product."""
    kept, params = params, params if seed is None else bfloat16.widened(params)
    maps = {
        name: {
            part: jnp.outer(vector, gradient.linear) if part == "kernel" else gradient.linear
            for part in params["layer"][name]
        }
        for name, vector in gradient.inputs.items()
    }
    whole = jax.tree.map(jnp.zeros_like, params) | {"layer": maps}
    params, opt_state = local_update(optimizer, whole, opt_state, params, num_steps, is_stepping)
    return params if seed is None else bfloat16.rounded(params, kept, seed), opt_state


def defer_steps(spec: Spec, backend: Backend, state: State, features: jax.Array) -> State:
    """Lets steps be deferred if all are plain descent in place, no node can miss a tick, and no model is copied."""
    availability, transport = spec.traffic.availability, transport_of(spec.traffic)
    if backend.in_place is None or why_plain(spec, state, features) is not None or spec.order != "merge_then_train":
        return state
    assert isinstance(spec.optimizer, Optimizer)
    if bound_to(descend, spec.optimizer.step_outer) is None or (transport is not None and not transport.is_own):
        return state
    if availability.can_sleep or availability.can_be_offline or (spec.gossip is not None and spec.gossip.capacity > 1):
        return state
    nobody, dtype = jnp.zeros(state.num_nodes, bool), state.embeddings[0].dtype
    seed = None if spec.param_dtype is None else jnp.zeros(state.num_nodes, jnp.uint32)

    def no_step(maps: dict[str, jax.Array]) -> Step:
        num_nodes, rows, columns = maps["kernel"].shape
        none = jnp.zeros((num_nodes, rows), dtype), jnp.zeros((num_nodes, columns), dtype), nobody
        return Step(*none, None if seed is None else Rounding(seed, seed))

    pending = tuple({name: no_step(maps) for name, maps in layer["layer"].items()} for layer in state.params)
    return replace(state, pending=pending)


def settle(backend: Backend, state: State) -> State:
    """Makes the deferred steps."""
    if state.pending is None or backend.in_place is None:
        return state
    params, pending = [], []
    for layer, steps in zip(state.params, state.pending, strict=True):
        step = backend.in_place.descend
        done = {name: linear(step(affine(layer["layer"][name]), deferred)) for name, deferred in steps.items()}
        params.append(layer | {"layer": done})
        pending.append({name: step._replace(is_stepping=step.is_stepping & False) for name, step in steps.items()})
    return replace(state, params=tuple(params), pending=tuple(pending))
