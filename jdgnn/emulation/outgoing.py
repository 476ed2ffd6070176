"""The content of model messages: the model of the node, altered if it is an attacker, and encoded.

Axes: N nodes, R models a node sends.
"""

from typing import Any

import jax

from jdgnn.backend import bfloat16
from jdgnn.backend.per_node import per_node
from jdgnn.backend.rows import select
from jdgnn.emulation.context import Tick
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State
from jdgnn.learning.optimizers.merged import without_moments
from jdgnn.protocol.content.content import message_shapes
from jdgnn.protocol.events import ATTACK, CONTENT, node_keys
from jdgnn.protocol.roles import ATTACKER


def outgoing(tick: Tick, state: State, params: Any, is_sent: jax.Array) -> tuple[Any, Any]:
    """Messages [N, ...] in the form that the transport carries, and the next memory [N, ...] of the content.

    Args:
      tick: the tick.
      state: all nodes.
      params: the model of each node [N, ...].
      is_sent: which messages are sent [N, R].
    """
    gossip = tick.spec.gossip
    if gossip is None or state.models is None or (gossip.content is None and tick.spec.attackers is None):
        return params, state.content
    told = _told(tick, state, params if tick.spec.param_dtype is None else bfloat16.widened(params))
    if gossip.content is None:
        return told if tick.spec.param_dtype is None else bfloat16.kept_as(params, told), state.content
    keys = node_keys(tick.events, CONTENT, state.num_nodes)
    memory, messages = per_node(gossip.content.encode)(state.content, told, keys, state.wakes)
    return messages, select(state.models.num_own(is_sent) > 0, memory, state.content)


def _told(tick: Tick, state: State, params: Any) -> Any:
    """The models that nodes send [N, ...]; attackers change theirs, but not the moments."""
    attackers = tick.spec.attackers
    if attackers is None or state.role is None:
        return params
    keys, alone = node_keys(tick.events, ATTACK, state.num_nodes), tuple(map(without_moments, params))
    lies = select(state.role == ATTACKER, per_node(attackers.attack.corrupt)(alone, keys, state.wakes), alone)
    return tuple(layer | lie for layer, lie in zip(params, lies, strict=True))


def first_memory(spec: Spec, params: Any) -> Any:
    """The memory of contents before the first tick [N, ...], for models as computed; None without a content."""
    if spec.gossip is None or spec.gossip.content is None:
        return None
    return per_node(spec.gossip.content.init)(params)


def carried_shapes(spec: Spec, params: Any) -> Any:
    """Shapes [N, ...] of messages for models `params`."""
    gossip = spec.gossip
    if gossip is None or gossip.content is None:
        return params
    content, computed = gossip.content, bfloat16.widened(params)
    return jax.eval_shape(per_node(lambda model: message_shapes(content, model)), computed)
