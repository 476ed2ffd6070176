"""What a node does when it wakes: merge and train, in the order asked for.

Axes: N nodes, L layers, n some nodes.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.emulation.fused import wake_fused
from jdgnn.emulation.fusing import why_plain
from jdgnn.emulation.merging import Inbox, Model, fold, fold_or_pair, fold_own, has_pairs
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State
from jdgnn.emulation.training import Scene, Trained, Woken, embed_only, train
from jdgnn.protocol.accounts import add_words
from jdgnn.protocol.model_pool import ModelPool
from jdgnn.protocol.rows import once, put, take


def wake(emulator: Spec, scene: Scene, inbox: Inbox | None) -> tuple[State, Woken]:
    """Merges and trains at all active nodes.

    By compiled kernels, where `why_plain` has nothing to say. With `awake_share`, only the rows of active nodes are
    gathered, computed and put back, as long as they are no more than that; in ticks in which there are more, all rows
    are computed, to the same result.

    Args:
      emulator: the parts.
      scene: what surrounds the nodes.
      inbox: what each merges; None for nothing.

    Returns:
      The state, and what can be seen of it.
    """
    state, active, capacity = scene.state, scene.active, awake_capacity(emulator, scene.topology.num_nodes)
    if why_plain(emulator, state, scene.features) is None:
        woken, state = wake_fused(emulator, scene, inbox)
    elif capacity is None or active is None:
        woken = _wake_rows(emulator, scene, inbox, None)
    else:
        (nodes,) = jnp.nonzero(active, size=capacity, fill_value=state.num_nodes)
        is_crowded = jnp.sum(active, dtype=jnp.int32) > capacity
        compact = nodes.astype(jnp.int32)
        woken = _asleep(emulator, scene, inbox)
        woken = once(~is_crowded, lambda held: _wake_rows(emulator, _with(scene, held), inbox, compact), woken)
        woken = once(is_crowded, lambda held: _wake_rows(emulator, _with(scene, held), inbox, None), woken)
        state = replace(state, num_crowded=state.num_crowded + is_crowded.astype(jnp.int32))
    is_idle = ~woken.is_stepped if scene.active is None else ~woken.is_stepped & scene.active[:, None]
    trains = emulator.gossip is None or emulator.gossip.order != "merge_only"
    state = replace(
        state,
        params=woken.params,
        opt_state=woken.opt_state,
        embeddings=woken.embeddings,
        age=woken.age,
        num_steps=state.num_steps + woken.is_stepped.astype(jnp.int32),
        num_idle=add_words(state.num_idle, jnp.sum(is_idle, axis=0, dtype=jnp.int32)) if trains else state.num_idle,
    )
    return state, woken


def awake_capacity(emulator: Spec, num_nodes: int) -> int | None:
    """How many awake nodes there is compact room for; None where all nodes are computed."""
    if emulator.awake_share is None:
        return None
    return min(num_nodes, max(1, round(emulator.awake_share * num_nodes)))


def _asleep(emulator: Spec, scene: Scene, inbox: Inbox | None) -> Woken:
    """What is held before anybody wakes."""
    state = scene.state
    shapes = jax.eval_shape(lambda: _wake_rows(emulator, scene, inbox, None))
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), (shapes.loss, shapes.is_stepped, shapes.aux))
    return Woken(state.params, state.opt_state, state.embeddings, state.age, *nothing)


def _with(scene: Scene, held: Woken) -> Scene:
    """The scene with what nodes hold in place of what its state does, so that it is changed in place."""
    state = replace(scene.state, params=held.params, opt_state=held.opt_state, embeddings=held.embeddings, age=held.age)
    return scene._replace(state=state)


def _wake_rows(emulator: Spec, scene: Scene, inbox: Inbox | None, nodes: jax.Array | None) -> Woken:
    """Merges and trains at some nodes [n], N for none; at all for None, of whom only the active change."""
    order = "merge_then_train" if emulator.gossip is None else emulator.gossip.order
    params, age = take((scene.state.params, scene.state.age), nodes)
    if order != "train_then_merge":
        params, age = _merged(emulator, scene, inbox, (params, age), nodes)
    trained = (embed_only if order == "merge_only" else train)(emulator, scene, params, nodes)
    params, age = trained.params, age + jnp.any(trained.is_stepped, axis=1).astype(jnp.int32)
    if order == "train_then_merge":
        params, age = _merged(emulator, scene, inbox, (params, age), nodes)
    return _put_back(scene.state, trained, params, age, nodes)


def _merged(emulator: Spec, scene: Scene, inbox: Inbox | None, own: Model, nodes: jax.Array | None) -> Model:
    """The models of some nodes with those of their inboxes folded in."""
    if inbox is None:
        return own
    assert emulator.gossip is not None
    models = scene.state.models
    if isinstance(models, ModelPool):
        return fold(emulator.gossip, inbox, (models.params, models.age), own, nodes)
    assert models is not None
    if has_pairs(emulator.gossip):
        return fold_or_pair(emulator.gossip, inbox, models, own)
    if emulator.gossip.order == "train_then_merge":
        return fold(emulator.gossip, inbox, (scene.state.params, scene.state.age), own, nodes)
    return fold_own(emulator.gossip, inbox, own)


def _put_back(
    state: State, trained: Trained, params: tuple[Any, ...], age: jax.Array, nodes: jax.Array | None
) -> Woken:
    """Puts rows [n, ...] among those of all nodes."""
    seen = (trained.loss, trained.is_stepped, trained.aux)
    unseen = jax.tree.map(lambda leaf: jnp.zeros((state.num_nodes, *leaf.shape[1:]), leaf.dtype), seen)
    loss, is_stepped, aux = put(unseen, nodes, seen)
    params, opt_state, age = put((state.params, state.opt_state, state.age), nodes, (params, trained.opt_state, age))
    return Woken(
        params=params,
        opt_state=opt_state,
        embeddings=trained.embeddings,
        age=age,
        loss=loss,
        is_stepped=is_stepped,
        aux=aux,
    )
