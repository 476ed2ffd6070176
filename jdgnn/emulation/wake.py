"""Waking: nodes merge and train, in the order asked for.

Axes: N nodes, L layers, n some nodes.
"""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jdgnn.backend.rows import once, put, take
from jdgnn.emulation.context import Tick
from jdgnn.emulation.in_place import learn_in_place
from jdgnn.emulation.inbox import Inbox
from jdgnn.emulation.merge import Merged, MergedInPlace, merge
from jdgnn.emulation.spec import awake_capacity
from jdgnn.emulation.state import State
from jdgnn.emulation.train import Learned, embed_layer, joined, nothing, train_layer
from jdgnn.emulation.ways import why_apart
from jdgnn.protocol.accounts import add_words
from jdgnn.protocol.model import Model


class Woken(NamedTuple):
    """The result of training [n, ...], and age and weight of the models."""

    learned: Learned
    age: jax.Array
    weight: jax.Array | None

    @property
    def model(self) -> Model:
        """The models [n, ...]."""
        return Model(self.learned.params, self.age, self.weight)


def wake(tick: Tick, state: State, inbox: Inbox) -> tuple[State, Learned]:
    """Merges and trains at all active nodes.

    With `active_fraction`, only the rows of active nodes are gathered, computed and put back while they fit; in ticks
    with more active nodes all rows are computed, with the same result.
    """
    capacity = awake_capacity(tick.spec, state.num_nodes)
    if capacity is None or tick.active is None:
        woken = _wake_rows(tick, state, inbox, None)
    else:
        (nodes,) = jnp.nonzero(tick.active, size=capacity, fill_value=state.num_nodes)
        # who stands for nobody has a number of its own, so that no two rows are written to one place
        nodes = jnp.where(nodes < state.num_nodes, nodes, state.num_nodes + jnp.arange(capacity)).astype(jnp.int32)
        is_crowded = jnp.sum(tick.active, dtype=jnp.int32) > capacity
        woken = _asleep(tick, state, inbox)
        woken = once(~is_crowded, lambda held: _wake_held(tick, state, inbox, held, nodes), woken)
        woken = once(is_crowded, lambda held: _wake_held(tick, state, inbox, held, None), woken, usually=False)
        state = replace(state, num_crowded=state.num_crowded + is_crowded.astype(jnp.int32))
    return _stored(tick, state, woken), woken.learned


def _wake_rows(tick: Tick, state: State, inbox: Inbox, nodes: jax.Array | None) -> Woken:
    """Merges and trains at some nodes [n], N for none; for None at all, of which only the active change."""
    own = take(Model(state.params, state.age, state.weight), nodes)
    if tick.spec.order == "train_then_merge":
        learned = _learn(tick, state, merge(tick, state, None, own, nodes), nodes)
        trained = own._replace(params=learned.params, age=own.age + _has_stepped(learned))
        merged = merge(tick, state, inbox, trained, nodes)
        params = tuple(merged.layer(index) for index in range(len(learned.params)))
        return Woken(replace(learned, params=params), merged.age, merged.weight)
    merged = merge(tick, state, inbox, own, nodes)
    learned = _learn(tick, state, merged, nodes)
    return Woken(learned, merged.age + _has_stepped(learned), merged.weight)


def _learn(tick: Tick, state: State, merged: Merged, nodes: jax.Array | None) -> Learned:
    """Trains the layers bottom-up, each on the embeddings of the one below; only embeds where nodes only merge."""
    own, layers = tick.features, []
    plainly = embed_layer if tick.spec.order == "merge_only" else train_layer
    for index in range(len(tick.spec.layers)):
        if isinstance(merged, MergedInPlace) and why_apart(tick.spec, state, index, own) is None:
            layers.append(learn_in_place(tick, state, index, merged, own, nodes))
        else:
            layers.append(plainly(tick, state, index, merged.layer(index), own, nodes))
        if not tick.backend.blocks:
            layers[-1] = jax.lax.optimization_barrier(layers[-1])
        (own,) = layers[-1].embeddings
    return joined(layers)


def _has_stepped(learned: Learned) -> jax.Array:
    """1 at each node [n] where any layer has stepped, else 0: updates that its model contains."""
    return jnp.any(learned.is_stepped, axis=1).astype(jnp.int32)


def _asleep(tick: Tick, state: State, inbox: Inbox) -> Woken:
    """The result before any node wakes."""
    shapes = jax.eval_shape(lambda: _wake_rows(tick, state, inbox, None).learned)
    loss, is_stepped, aux = nothing((shapes.loss, shapes.is_stepped, shapes.aux))
    held = Learned(
        params=state.params,
        opt_state=state.opt_state,
        embeddings=state.embeddings,
        loss=loss,
        is_stepped=is_stepped,
        aux=aux,
    )
    return Woken(held, state.age, state.weight)


def _wake_held(tick: Tick, state: State, inbox: Inbox, held: Woken, nodes: jax.Array | None) -> Woken:
    """`_wake_rows` on `held` in place of the state's arrays, so that these are changed in place."""
    learned = held.learned
    state = replace(state, **held.model._asdict(), opt_state=learned.opt_state, embeddings=learned.embeddings)
    return _put_back(state, _wake_rows(tick, state, inbox, nodes), nodes)


def _put_back(state: State, woken: Woken, nodes: jax.Array | None) -> Woken:
    """Puts rows [n, ...] among those of all nodes."""
    if nodes is None:
        return woken
    learned = woken.learned
    seen = (learned.loss, learned.is_stepped, learned.aux)
    unseen = jax.tree.map(lambda leaf: jnp.zeros((state.num_nodes, *leaf.shape[1:]), leaf.dtype), seen)
    loss, is_stepped, aux = put(unseen, nodes, seen, is_unique=True)
    held = Model(state.params, state.age, state.weight), state.opt_state
    model, opt_state = put(held, nodes, (woken.model, learned.opt_state), is_unique=True)
    learned = replace(learned, params=model.params, opt_state=opt_state, loss=loss, is_stepped=is_stepped, aux=aux)
    return Woken(learned, model.age, model.weight)


def _stored(tick: Tick, state: State, woken: Woken) -> State:
    """The state after training."""
    learned = woken.learned
    is_idle = ~learned.is_stepped if tick.active is None else ~learned.is_stepped & tick.active[:, None]
    num_idle = state.num_idle
    if tick.spec.order != "merge_only":
        num_idle = add_words(num_idle, jnp.sum(is_idle, axis=0, dtype=jnp.int32))
    models, params = state.models, learned.params
    if tick.transport is not None:
        models, params = tick.transport.store(models, params)
    return replace(
        state,
        models=models,
        params=params,
        opt_state=learned.opt_state,
        embeddings=learned.embeddings,
        age=woken.age,
        weight=woken.weight,
        num_steps=state.num_steps + learned.is_stepped.astype(jnp.int32),
        num_idle=num_idle,
        pending=learned.pending,
    )
