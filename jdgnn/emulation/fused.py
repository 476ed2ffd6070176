"""Waking by compiled kernels: one pass over the parameters merges, multiplies and makes the step put off before.

The gradient of a layer that begins with linear maps is an outer product, so a step of gradient descent is known by two
vectors per node. It is put off: the next tick, which reads all parameters anyway, makes it while it merges. Optimisers
with state step in a second pass. Axes: N nodes, L layers, M models in an inbox, F features that enter a layer, F' that
leave it.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jdgnn.emulation.merging import Inbox, shares_of
from jdgnn.emulation.per_node import per_node
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State
from jdgnn.emulation.training import Scene, Woken, aggregated, awake, embedded
from jdgnn.emulation.views import chosen, received
from jdgnn.kernels import calls
from jdgnn.kernels.calls import Exchange, Step
from jdgnn.learning.local_step import finishing_loss, keys_of, viewed
from jdgnn.learning.optimizers import Optimizer
from jdgnn.learning.optimizers.merged import MOMENTS
from jdgnn.learning.optimizers.outer import affine, descend, linear
from jdgnn.parts import bound_to
from jdgnn.protocol.events import node_keys
from jdgnn.protocol.model_pool import ModelPool
from jdgnn.protocol.rows import some_at_a_time


class Merging(NamedTuple):
    """What is merged in this tick."""

    exchange: Exchange
    sent: tuple[Any, ...] | None  # parameters per layer [Q, ...] where models wait in a pool; None for the nodes' own
    age: jax.Array  # [N], after merging


def wake_fused(emulator: Spec, scene: Scene, inbox: Inbox | None) -> tuple[Woken, State]:
    """Merges and trains at all active nodes, as `wake` does.

    Args:
      emulator: the parts.
      scene: what surrounds the nodes.
      inbox: what each merges; None for nothing.

    Returns:
      What changed, and the state with steps that are put off.
    """
    state, trains = scene.state, _trains(emulator)
    merging = _merging(emulator, scene, inbox)
    own, layers = scene.features, []
    for index in range(len(emulator.layers)):
        layers.append(_wake_layer(emulator, scene, index, own, merging, trains))
        own = layers[-1]["embedding"]
    params = tuple(layer["params"] for layer in layers)
    is_stepped = jnp.stack([layer["is_stepped"] for layer in layers], axis=1)
    woken = Woken(
        params=params,
        opt_state=tuple(layer["opt_state"] for layer in layers),
        embeddings=tuple(layer["embedding"] for layer in layers),
        age=merging.age + jnp.any(is_stepped, axis=1).astype(jnp.int32),
        loss=jnp.stack([layer["loss"] for layer in layers], axis=1),
        is_stepped=is_stepped,
        aux=tuple(layer["aux"] for layer in layers),
    )
    pending = None if state.pending is None else tuple(layer["pending"] for layer in layers)
    return woken, replace(state, pending=pending)


def put_off(emulator: Spec, state: State) -> State:
    """Lets steps be put off, if they are plain descent, all nodes wake in every tick and no model is copied."""
    availability = emulator.traffic.availability
    if availability.can_sleep or availability.can_be_offline:
        return state
    assert isinstance(emulator.optimizer, Optimizer)
    is_descent = bound_to(descend, emulator.optimizer.step_outer) is not None
    if not is_descent or isinstance(state.models, ModelPool) or not _trains(emulator):
        return state
    nobody = jnp.zeros(state.num_nodes, bool)
    pending = tuple(
        {
            name: Step(
                jnp.zeros(maps["kernel"].shape[:2], maps["kernel"].dtype),
                jnp.zeros((state.num_nodes, maps["kernel"].shape[2]), maps["kernel"].dtype),
                nobody,
            )
            for name, maps in layer["layer"].items()
        }
        for layer in state.params
    )
    return replace(state, pending=pending)


def settle(state: State) -> State:
    """Makes the steps that were put off; afterwards none are."""
    if state.pending is None:
        return state
    params, pending = [], []
    for layer, steps in zip(state.params, state.pending, strict=True):
        done = {name: linear(calls.descend(affine(layer["layer"][name]), step)) for name, step in steps.items()}
        params.append(layer | {"layer": done})
        pending.append({name: step._replace(is_stepping=step.is_stepping & False) for name, step in steps.items()})
    return replace(state, params=tuple(params), pending=tuple(pending))


def _trains(emulator: Spec) -> bool:
    return emulator.gossip is None or emulator.gossip.order != "merge_only"


def _merging(emulator: Spec, scene: Scene, inbox: Inbox | None) -> Merging:
    state, gossip, models = scene.state, emulator.gossip, scene.state.models
    active = jnp.ones(state.num_nodes, bool) if scene.active is None else scene.active
    dtype = state.embeddings[0].dtype
    if inbox is None or gossip is None:
        nobody = jnp.full((state.num_nodes, 1), -1, jnp.int32)
        plan = calls.plan(nobody[:, 0], active)
        return Merging(Exchange(plan, nobody, jnp.zeros(nobody.shape, dtype)), None, state.age)
    sent_age = models.age if isinstance(models, ModelPool) else state.age
    share, age = shares_of(gossip, inbox, sent_age, state.age)
    share = share.astype(dtype)
    source = jnp.where(inbox.is_merged, inbox.row, -1)
    if isinstance(models, ModelPool):
        plan = calls.plan(jnp.full_like(state.age, -1), active)
        return Merging(Exchange(plan, source, share), models.params, age)
    return Merging(Exchange(calls.plan(source[:, 0], active), source, share), None, age)


def _wake_layer(
    emulator: Spec, scene: Scene, index: int, own: jax.Array, merging: Merging, trains: bool
) -> dict[str, Any]:
    """One layer of all active nodes; `own` [N, F] is what each puts into it."""
    layer, state = emulator.layers[index], scene.state
    assert layer.inputs is not None
    assert layer.finish is not None
    aggregate = aggregated(emulator, scene, index, None, own, None)
    objective = emulator.objectives[index]
    keys = per_node(keys_of, shared=(0,))(objective, node_keys(scene.events, index, state.num_nodes))
    seen = per_node(viewed, shared=(0,))(objective, own, aggregate, keys[0])
    inputs = per_node(layer.inputs)(*seen)
    given = [inputs] if objective.view is None else [inputs, per_node(layer.inputs)(own, aggregate)]
    params, totals = _multiplied(scene, index, given, merging)

    def learn(rows: Any) -> Any:
        linear, seen, compared, key = rows
        gradient = per_node(jax.value_and_grad(finishing_loss, argnums=2, has_aux=True), shared=(0, 1))
        others = received(scene.topology, state, index, compared)
        return gradient(layer, objective, linear, *seen, others, key)

    rows = (totals[:, 0], seen, chosen(state, scene.events, index), keys[1])
    if not trains:
        nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(learn, rows))
        (loss, (_, is_defined, aux)), _ = nothing
        embedding = embedded(scene, index, per_node(layer.finish)(totals[:, -1]), None)
        unmoved = (params, state.opt_state[index], None)
        return _as_dict(*unmoved, embedding=embedding, loss=loss, is_stepped=is_defined, aux=aux)
    (loss, (embedding, is_defined, aux)), gradient = some_at_a_time(learn, rows)
    is_stepping = awake(scene, is_defined, None)
    moved = _step(emulator, state, index, params, inputs, gradient, is_stepping)
    if objective.view is not None:
        embedding = per_node(layer.finish)(totals[:, -1])
    embedding = embedded(scene, index, embedding, None)
    return _as_dict(*moved, embedding=embedding, loss=jnp.where(is_stepping, loss, 0), is_stepped=is_stepping, aux=aux)


def _as_dict(params: Any, opt_state: Any, pending: Any, **others: Any) -> dict[str, Any]:
    return {"params": params, "opt_state": opt_state, "pending": pending} | others


def _multiplied(
    scene: Scene, index: int, given: list[dict[str, jax.Array]], merging: Merging
) -> tuple[dict[str, Any], jax.Array]:
    """Parameters after merging, and the sum of the linear maps of each of what is given [N, I, F']."""
    state, layer, products = scene.state, {}, []
    for name in given[0]:
        vectors = jnp.stack([inputs[name] for inputs in given], axis=1)
        sent = None if merging.sent is None else affine(merging.sent[index]["layer"][name])
        pending = None if state.pending is None else state.pending[index][name]
        own = affine(state.params[index]["layer"][name])
        merged, product = calls.merge(own, sent, merging.exchange, pending, vectors)
        layer[name] = linear(merged)
        products.append(product)
    params = state.params[index] | {"layer": layer} | _merged_moments(state.params[index], index, merging)
    return params, sum(products[1:], start=products[0])


def _merged_moments(params: dict[str, Any], index: int, merging: Merging) -> dict[str, Any]:
    """Moments that are part of the model, after merging."""
    if MOMENTS not in params:
        return {}

    def merge(own: dict[str, jax.Array], sent: dict[str, jax.Array] | None = None) -> dict[str, jax.Array]:
        there = None if sent is None else affine(sent)
        return linear(calls.merge(affine(own), there, merging.exchange, None, None)[0])

    trees = [params[MOMENTS]] if merging.sent is None else [params[MOMENTS], merging.sent[index][MOMENTS]]
    return {MOMENTS: jax.tree.map(merge, *trees, is_leaf=lambda node: isinstance(node, dict) and "kernel" in node)}


def _step(
    emulator: Spec,
    state: State,
    index: int,
    params: dict[str, Any],
    inputs: dict[str, jax.Array],
    gradient: jax.Array,
    is_stepping: jax.Array,
) -> tuple[dict[str, Any], Any, Any]:
    """Parameters, optimiser state, and the step that is put off instead, if it is."""
    optimizer, opt_state = emulator.optimizer, state.opt_state[index]
    assert isinstance(optimizer, Optimizer)
    assert optimizer.rate is not None
    assert optimizer.step_outer is not None
    rate = jnp.asarray(per_node(optimizer.rate)(state.num_steps[:, index]), gradient.dtype)
    if state.pending is not None:
        scaled = rate[:, None] * gradient
        return params, opt_state, {name: Step(vectors, scaled, is_stepping) for name, vectors in inputs.items()}
    return (*optimizer.step_outer(params, opt_state, inputs, gradient, rate, is_stepping), None)
