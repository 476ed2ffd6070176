"""The initial state of all nodes, and the shapes that follow from it.

Axes: N nodes, L layers.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.backend import bfloat16
from jdgnn.backend.per_node import per_node
from jdgnn.backend.plain import norms
from jdgnn.emulation.check_parts import units_of
from jdgnn.emulation.outgoing import carried_shapes, first_memory
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State
from jdgnn.keys import is_key
from jdgnn.learning.local_step import init_params
from jdgnn.learning.optimizers.merged import without_moments
from jdgnn.network.identity import SHAPE as IDENTITY_SHAPE
from jdgnn.network.topology import Topology
from jdgnn.protocol.accounts import no_accounts
from jdgnn.protocol.events import Events, Sizes, Traffic, init_memory
from jdgnn.protocol.events import sample_events as sample_traffic
from jdgnn.protocol.mailbox import empty_mailbox
from jdgnn.protocol.pushes import no_pushes
from jdgnn.protocol.roles import first_roles
from jdgnn.protocol.sample_buffer import empty_buffer
from jdgnn.protocol.traffic import Gossip, Push
from jdgnn.protocol.transport import transport_of

ROLES = 2**32 - 1  # folded into the run's key to draw roles; all other draws fold in ticks, which stay below it


@jax.jit
def init(emulator: Spec, key: jax.Array, links: Topology, features: jax.Array, network: jax.Array) -> State:
    """Makes the initial state for a network with this `identity`; see `Emulator.init`."""
    num_nodes, num_features = features.shape
    dtype, traffic, push, attackers = features.dtype, emulator.traffic, emulator.push, emulator.attackers
    params_key, run_key, availability_key = jax.random.split(key, 3)
    units = units_of(emulator.layers, num_features, dtype)
    computed = _init_params(emulator, params_key, num_nodes, (num_features, *units), dtype)
    params = computed if emulator.param_dtype is None else bfloat16.nearest(computed)
    depth = _history_depth(traffic)
    return State(
        tick=jnp.zeros((), jnp.int32),
        network=network,
        key=run_key,
        availability=keys_by_node(init_memory(traffic, availability_key, links)),
        joined=jnp.zeros(num_nodes, bool) if traffic.availability.can_be_offline else None,
        attendance=jnp.zeros((2, 2), jnp.uint32) if traffic.availability.can_be_offline else None,
        role=None if attackers is None else first_roles(attackers, jax.random.fold_in(run_key, ROLES), num_nodes),
        content=keys_by_node(first_memory(emulator, computed), 2),
        params=params,
        opt_state=tuple(
            keys_by_node(per_node(emulator.optimizer.init)(layer), index) for index, layer in enumerate(computed)
        ),
        embeddings=tuple(jnp.zeros((num_nodes, width), dtype) for width in units),
        embedded_at=jnp.full(num_nodes, -1, jnp.int32),
        history=tuple(jnp.zeros((num_nodes, depth, width), dtype) for width in units) if depth else None,
        mailbox=empty_mailbox(links.num_edges, traffic.publish.link.max_delay, units, dtype)
        if _has_mailbox(traffic)
        else None,
        samples=None if push is None else empty_buffer(num_nodes, push.capacity, units, dtype),
        pushes=None if push is None else no_pushes(num_nodes, push.fanout, push.link.max_delay),
        models=_no_models(emulator, params, num_nodes),
        age=jnp.zeros(num_nodes, jnp.int32),
        weight=_first_weight(emulator.gossip, num_nodes),
        wakes=jnp.zeros(num_nodes, jnp.int32),
        num_steps=jnp.zeros((num_nodes, len(units)), jnp.int32),
        num_idle=jnp.zeros((len(units), 2), jnp.uint32),
        push_schedule=keys_by_node(_no_memory(push, num_nodes)),
        model_schedule=keys_by_node(_no_memory(emulator.gossip, num_nodes), 1),
        num_excess=jnp.zeros((2, 2), jnp.uint32),
        num_unplaced=jnp.zeros(2, jnp.uint32),
        num_crowded=jnp.zeros((), jnp.int32),
        initial_norm=jnp.mean(norms(tuple(map(without_moments, params)))),
        accounts=no_accounts(num_nodes),
    )


def keys_by_node(tree: Any, number: int = 0) -> Any:
    """Makes all typed keys in a tree of [N, ...] differ, so that nodes draw independently; other arrays stay.

    `number` tells apart layers or other owners of equal keys: the key of node v is folded with number · N + v.
    """

    def fold(keys: jax.Array, node: jax.Array) -> jax.Array:
        folded = jax.lax.map(lambda key: jax.random.fold_in(key, node), keys.reshape(-1))
        return folded.reshape(keys.shape)

    def of_leaf(leaf: jax.Array) -> jax.Array:
        if not is_key(leaf):
            return leaf
        first = number * leaf.shape[0]
        return per_node(fold)(leaf, jnp.arange(first, first + leaf.shape[0], dtype=jnp.uint32))

    return jax.tree.map(of_leaf, tree)


def _has_mailbox(traffic: Traffic) -> bool:
    """Whether the vector held over an edge can differ from its sender's present one."""
    publish, availability = traffic.publish, traffic.availability
    is_partial = availability.can_be_offline or availability.can_be_down
    return publish.schedule is not None or not publish.link.is_perfect or is_partial


def _history_depth(traffic: Traffic) -> int:
    """For how many ticks embeddings are held for messages in flight; 0 where the senders' present ones suffice."""
    pushes = 0 if traffic.push is None else traffic.push.link.max_delay
    longest = max(traffic.publish.link.max_delay, pushes)
    return longest + 1 if longest else 0


def _no_models(emulator: Spec, params: Any, num_nodes: int) -> Any:
    transport, gossip = transport_of(emulator.traffic), emulator.gossip
    if transport is None or gossip is None:
        return None
    return transport.init(gossip, carried_shapes(emulator, params), num_nodes)


def _first_weight(gossip: Gossip | None, num_nodes: int) -> jax.Array | None:
    """Equal initial weights [N]; None where the merge rule divides none."""
    return None if gossip is None or gossip.merge.divide is None else jnp.ones(num_nodes)


def _no_memory(setting: Push | Gossip | None, num_nodes: int) -> Any:
    """The memory of a schedule at each node before its first wake."""
    if setting is None:
        return ()
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (num_nodes, *jnp.shape(leaf))), setting.schedule.init())


def _init_params(
    emulator: Spec, key: jax.Array, num_nodes: int, widths: tuple[int, ...], dtype: Any
) -> tuple[Any, ...]:
    def init_one(key: jax.Array) -> tuple[Any, ...]:
        return init_model(emulator, key, widths, dtype)

    if emulator.initial == "independent":
        return per_node(init_one)(jax.random.split(key, num_nodes))
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (num_nodes, *leaf.shape)), init_one(key))


def shapes_of(emulator: Spec, key: Any, links: Any, features: Any) -> State:
    """Shapes of the state for links and features [N, F0], given as arrays or shapes."""
    return jax.eval_shape(init, emulator, key, links, features, jax.ShapeDtypeStruct(IDENTITY_SHAPE, jnp.uint32))


def init_model(emulator: Spec, key: jax.Array, widths: tuple[int, ...], dtype: Any) -> tuple[Any, ...]:
    """Draws the parameters of all layers of one node; `widths` are F0 and the units of each layer."""
    keys = jax.random.split(key, len(emulator.layers))
    return tuple(
        init_params(
            layer,
            emulator.objectives[index],
            emulator.optimizer,
            keys[index],
            widths[index],
            widths[index + 1],
            dtype,
        )
        for index, layer in enumerate(emulator.layers)
    )


def message_bytes(state: State) -> tuple[int, int, int]:
    """Payload bytes of one message of each kind, at the dtype in which it is stored; `state` may be shapes.

    An embedding or a push carries all layers. A model message carries the parameters of all layers, including moments
    that are merged, the age, and the weight if there is one; a content replaces the parameters by their encoding.
    """
    embedding = tree_bytes(state.embeddings) // state.num_nodes
    held: Any = state if state.content is None else state.models
    return embedding, embedding, tree_bytes((held.params, held.age, held.weight)) // held.age.shape[0]


def tree_bytes(shapes: Any) -> int:
    """Bytes of a tree of arrays or shapes."""
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes))


def sample_events(
    emulator: Spec,
    links: Topology,
    num_bytes: tuple[int, int, int],
    key: jax.Array,
    tick: jax.Array,
    memory: tuple[Any, ...],
) -> tuple[tuple[Any, ...], Events]:
    """Draws every random decision of one tick, and returns it after the next memory of clocks, presence and links.

    The same key and tick give the same events. `num_bytes` are those of `message_bytes`; `memory` is
    `State.availability`.
    """
    sizes = Sizes(emulator.num_positives, num_bytes[0], num_bytes[2])
    return sample_traffic(key, tick, links, emulator.traffic, sizes, memory)


def event_shapes(emulator: Spec, links: Topology, state: State) -> Events:
    """Shapes of the events of one tick; `state` may be shapes. InputError if a part draws something else."""
    num_bytes = message_bytes(state)
    _, events = jax.eval_shape(
        lambda *arguments: sample_events(emulator, links, num_bytes, *arguments),
        state.key,
        state.tick,
        state.availability,
    )
    return events
