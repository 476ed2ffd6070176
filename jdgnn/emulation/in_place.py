"""Layers that learn in the pass that merges them: one that begins with linear maps is multiplied while it is merged.

The gradient of such a layer is an outer product, so a step is known by two vectors per node. A step of plain descent is
put off: the next tick, which reads all parameters anyway, makes it while it merges. Optimisers with state step in a
second pass; for those without a step for outer products gradients are written out. Axes: N nodes, F features that enter
a layer, F' that leave it.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jdgnn.backend.backend import Backend
from jdgnn.backend.calls import Step
from jdgnn.backend.per_node import per_node
from jdgnn.backend.rows import by_block, some_at_a_time
from jdgnn.emulation.context import Tick
from jdgnn.emulation.merge import MergedInPlace
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State
from jdgnn.emulation.train import Learned, Seen, aggregated, awake, embedded, nothing
from jdgnn.emulation.views import chosen, oldest_used, received
from jdgnn.emulation.ways import why_plain, why_written_out
from jdgnn.learning.local_step import finishing_loss, keys_of, local_update, viewed
from jdgnn.learning.optimizers import Optimizer
from jdgnn.learning.optimizers.outer import affine, descend, linear
from jdgnn.parts import bound_to
from jdgnn.protocol.events import node_keys
from jdgnn.protocol.transport import transport_of


class Gradient(NamedTuple):
    """The gradient of a layer that begins with linear maps: outer products of what enters and what leaves them."""

    inputs: dict[str, jax.Array]  # [N, F] each
    linear: jax.Array  # [N, F']


def learn_in_place(tick: Tick, state: State, index: int, merged: MergedInPlace, own: jax.Array) -> Learned:
    """One layer of all active nodes; `own` [N, F] is what each puts into it."""
    layer, objective = tick.spec.layers[index], tick.spec.objectives[index]
    assert layer.inputs is not None
    assert layer.finish is not None
    combined = aggregated(tick, state, index, None, own, None)
    keys = per_node(keys_of, shared=(0,))(objective, node_keys(tick.events, index, state.num_nodes))
    seen = per_node(viewed, shared=(0,))(objective, own, combined, keys[0])
    inputs = per_node(layer.inputs)(*seen)
    given = [inputs] if objective.view is None else [inputs, per_node(layer.inputs)(own, combined)]
    params, sums = merged.multiplied(index, given)

    def learn(rows: Any) -> Any:
        total, seen, compared, key = rows
        gradient = per_node(jax.value_and_grad(finishing_loss, argnums=2, has_aux=True), shared=(0, 1))
        others = received(tick.topology, state, index, compared, oldest_used(tick.spec, state.tick))
        return gradient(layer, objective, total, *seen, others, key)

    rows = (sums[:, 0], seen, chosen(state, tick.events, index), keys[1])
    if tick.spec.order == "merge_only":
        (loss, (_, is_defined, aux)), _ = nothing(jax.eval_shape(learn, rows))
        embedding = embedded(tick, state, index, per_node(layer.finish)(sums[:, -1]), None)
        return Learned.of_layer(params, state.opt_state[index], embedding, Seen(loss, is_defined, aux))
    (loss, (rows, is_defined, aux)), of_linear = some_at_a_time(learn, rows)
    is_stepping = awake(tick, is_defined, None)
    moved = _step(tick, state, index, params, Gradient(inputs, of_linear), is_stepping)
    rows = rows if objective.view is None else per_node(layer.finish)(sums[:, -1])
    told = Seen(jnp.where(is_stepping, loss, 0), is_stepping, aux)
    return Learned.of_layer(
        moved.params, moved.opt_state, embedded(tick, state, index, rows, None), told, moved.pending
    )


class _Moved(NamedTuple):
    """What a step gave."""

    params: Any
    opt_state: Any
    pending: Any = None  # the step that is put off instead, if it is


def _step(
    tick: Tick, state: State, index: int, params: dict[str, Any], gradient: Gradient, is_stepping: jax.Array
) -> _Moved:
    optimizer, opt_state = tick.spec.optimizer, state.opt_state[index]
    assert isinstance(optimizer, Optimizer)
    if why_written_out(tick.spec) is not None:
        update = per_node(_written_out, shared=(0,))
        held, _ = by_block(
            lambda held, rows: (update(optimizer, *held, *rows), ()),
            (params, opt_state),
            (gradient, state.num_steps[:, index], is_stepping),
        )
        return _Moved(*held)
    assert optimizer.rate is not None
    assert optimizer.step_outer is not None
    inputs, of_linear = gradient
    rate = jnp.asarray(per_node(optimizer.rate)(state.num_steps[:, index]), of_linear.dtype)
    if state.pending is not None:
        scaled = rate[:, None] * of_linear
        return _Moved(params, opt_state, {name: Step(vectors, scaled, is_stepping) for name, vectors in inputs.items()})
    return _Moved(*optimizer.step_outer(params, opt_state, inputs, of_linear, rate, is_stepping))


def _written_out(
    optimizer: Optimizer, params: Any, opt_state: Any, gradient: Gradient, num_steps: jax.Array, is_stepping: jax.Array
) -> tuple[Any, Any]:
    """A step of one node along its gradient as a tree of parameters; zero where nothing is an outer product."""
    maps = {
        name: {
            part: jnp.outer(vector, gradient.linear) if part == "kernel" else gradient.linear
            for part in params["layer"][name]
        }
        for name, vector in gradient.inputs.items()
    }
    whole = jax.tree.map(jnp.zeros_like, params) | {"layer": maps}
    return local_update(optimizer, whole, opt_state, params, num_steps, is_stepping)


def put_off(spec: Spec, backend: Backend, state: State, features: jax.Array) -> State:
    """Lets steps be put off, if all are plain descent in place, all nodes wake in every tick and no model is copied."""
    availability, transport = spec.traffic.availability, transport_of(spec.traffic)
    if backend.in_place is None or why_plain(spec, state, features) is not None or spec.order != "merge_then_train":
        return state
    assert isinstance(spec.optimizer, Optimizer)
    if bound_to(descend, spec.optimizer.step_outer) is None or (transport is not None and not transport.is_own):
        return state
    if availability.can_sleep or availability.can_be_offline or (spec.gossip is not None and spec.gossip.capacity > 1):
        return state
    nobody = jnp.zeros(state.num_nodes, bool)

    def no_step(maps: dict[str, jax.Array]) -> Step:
        num_nodes, rows, columns = maps["kernel"].shape
        dtype = maps["kernel"].dtype
        return Step(jnp.zeros((num_nodes, rows), dtype), jnp.zeros((num_nodes, columns), dtype), nobody)

    pending = tuple({name: no_step(maps) for name, maps in layer["layer"].items()} for layer in state.params)
    return replace(state, pending=pending)


def settle(backend: Backend, state: State) -> State:
    """Makes the steps that were put off; afterwards none are."""
    if state.pending is None or backend.in_place is None:
        return state
    params, pending = [], []
    for layer, steps in zip(state.params, state.pending, strict=True):
        step = backend.in_place.descend
        done = {name: linear(step(affine(layer["layer"][name]), put_off)) for name, put_off in steps.items()}
        params.append(layer | {"layer": done})
        pending.append({name: step._replace(is_stepping=step.is_stepping & False) for name, step in steps.items()})
    return replace(state, params=tuple(params), pending=tuple(pending))
