"""All randomness of one tick, drawn before any arithmetic.

Axes: N nodes, E directed edges, L layers, S pushes per node (the fanout), R models per node, K positives.
"""

import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.errors import InputError
from jdgnn.network.topology import Topology
from jdgnn.protocol.traffic import Gossip, Push


@struct.dataclass(kw_only=True)
class Events:
    """Every random decision of one tick as plain arrays; what follows is deterministic arithmetic.

    Destinations are *candidates*: whether a candidate is sent is decided by the schedule and the node's wake count.
    Messages that reach one node in the same tick are taken in order of (tick sent, rank, slot), where the slot of
    the s-th candidate of node v is v·S + s; so no node's number favours it.
    """

    push_dst: jax.Array  # [N, S] int32: who gets each push; N = nobody
    push_rank: jax.Array  # [N, S] uint32
    model_dst: jax.Array  # [N, R] int32: who gets each model; N = nobody
    model_rank: jax.Array  # [N, R] uint32
    positives: jax.Array  # [N, K] int32: in-edges whose senders are this tick's positives; E = none
    keys: jax.Array  # [N, L] PRNG keys, for objectives that draw


def sample_events(
    key: jax.Array,
    topology: Topology,
    push: Push | None,
    gossip: Gossip | None,
    num_positives: int,
    num_layers: int,
) -> Events:
    """Draws all random decisions of one tick.

    Args:
      key: this tick's key.
      topology: the links.
      push: how embeddings are pushed; None for not at all.
      gossip: how models are sent; None for not at all.
      num_positives: K.
      num_layers: L.

    Returns:
      The events.
    """
    push_key, push_rank_key, model_key, model_rank_key, positives_key, objective_key = jax.random.split(key, 6)
    push_dst = destinations(push_key, topology, push)
    model_dst = destinations(model_key, topology, gossip)
    return Events(
        push_dst=push_dst,
        push_rank=jax.random.bits(push_rank_key, push_dst.shape, jnp.uint32),
        model_dst=model_dst,
        model_rank=jax.random.bits(model_rank_key, model_dst.shape, jnp.uint32),
        positives=choose_in_edges(positives_key, topology, num_positives),
        keys=jax.random.split(objective_key, (topology.num_nodes, num_layers)),
    )


def destinations(key: jax.Array, topology: Topology, setting: Push | Gossip | None) -> jax.Array:
    """Draws who gets each candidate push or model [N, slots]; whatever is no other node becomes N, nobody.

    Args:
      key: what to draw with.
      topology: the links.
      setting: who is drawn and how many; None for nobody.

    Returns:
      Receivers, int32.

    Raises:
      InputError: the peer sampler gives no node number per node and slot.
    """
    if setting is None:
        return jnp.zeros((topology.num_nodes, 0), jnp.int32)
    num_nodes = topology.num_nodes
    dst = setting.peers.sample(key, topology, jnp.ones(num_nodes, bool), setting.fanout)
    if jnp.shape(dst) != (num_nodes, setting.fanout) or not jnp.issubdtype(jnp.result_type(dst), jnp.integer):
        raise InputError(
            f"peers: sample gives {jnp.result_type(dst)}{list(jnp.shape(dst))}, and one node number per node and slot, "
            f"integers [{num_nodes}, {setting.fanout}], is needed"
        )
    dst = dst.astype(jnp.int32)
    is_somebody = (dst >= 0) & (dst < num_nodes) & (dst != jnp.arange(num_nodes, dtype=jnp.int32)[:, None])
    return jnp.where(is_somebody, dst, num_nodes)


def choose_in_edges(key: jax.Array, topology: Topology, num_choices: int) -> jax.Array:
    """Chooses in-edges of each node without replacement, every set equally likely; all if there are too few.

    Floyd's algorithm (Bentley & Floyd, "A Sample of Brilliance", CACM 1987), for all nodes at once.

    Args:
      key: what to draw with.
      topology: the links.
      num_choices: K.

    Returns:
      Edge numbers [N, K] int32; E stands for none.
    """
    degree = topology.in_degree
    last = jnp.maximum(degree[:, None] - num_choices, 0) + jnp.arange(num_choices, dtype=jnp.int32)
    drawn = jax.random.randint(key, last.shape, 0, last + 1, dtype=jnp.int32)
    column = jnp.arange(num_choices, dtype=jnp.int32)

    def choose(i: jax.Array, chosen: jax.Array) -> jax.Array:
        is_taken = jnp.any((chosen == drawn[:, i, None]) & (column < i), axis=1)
        pick = jnp.where(is_taken | (degree <= num_choices), last[:, i], drawn[:, i])
        return chosen.at[:, i].set(pick)

    chosen = jax.lax.fori_loop(0, num_choices, choose, last)  # all in-edges, where there are no more than K
    return jnp.where(chosen < degree[:, None], topology.in_offset[:, None] + chosen, topology.num_edges)
