"""Metrics of each single node.

Axes: N nodes, L layers.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from jdgnn.emulation.metrics import mean_elapsed
from jdgnn.emulation.spread import spread_of
from jdgnn.emulation.start import message_bytes
from jdgnn.emulation.state import State, check_alive, check_network_of
from jdgnn.network.conversion import as_network
from jdgnn.network.edges import sum_over_out_edges
from jdgnn.network.topology import Topology, topology
from jdgnn.protocol.accounts import whole
from jdgnn.protocol.rings import num_in_flight


def node_table(state: State, network: Any) -> dict[str, NDArray[Any]]:
    """Metrics of every single node at the end of a run; the history has those of all nodes together.

    Args:
      state: all nodes.
      network: the network the state was made for.

    Returns:
      A dict of arrays. Of each node [N]: `node` (its name, or its number where nodes have no names), `age`, `wakes`,
      `embedded_at` (tick of its last embeddings, −1 for none), `staleness` (mean age in ticks of the embeddings in its
      mailboxes in the next tick, expired or not; NaN if they are empty), `distance` (‖θᵥ − θ̄‖² / ‖θ̄‖², with the mean
      model of the honest nodes that have joined) and `norm_ratio` (‖θᵥ‖ divided by the mean norm at the start); the
      last two are NaN for nodes that have not joined. Also `num_steps` [N, L]; `messages` and `bytes` since the start
      [N, 3, 7], by kind and outcome in the order of `jdgnn.protocol.accounts`; messages `in_flight`, by sender [N, 3];
      and, with attackers, `role` [N]: 1 for an attacker, 0 for an honest node.

    Raises:
      InputError: the state was consumed, or belongs to another network.

    Example:
      >>> import jax, jdgnn
      >>> network = jdgnn.network.generators.ring(6)
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(),
      ...     optimizer=jdgnn.adam(1e-2), push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> table = jdgnn.node_table(emulator.init(jax.random.key(0), network), network)
      >>> table["wakes"].tolist(), table["messages"].shape
      ([0, 0, 0, 0, 0, 0], (6, 3, 7))
    """
    check_alive(state)
    network = as_network(network)
    check_network_of(state, network)
    links = topology(network)
    metrics = jax.tree.map(np.asarray, _metrics(links, state))
    messages = whole(state.accounts.words)
    return {
        "node": np.array(network.node_names) if network.node_names else np.arange(network.num_nodes),
        "age": np.asarray(state.age),
        "wakes": np.asarray(state.wakes),
        "embedded_at": np.asarray(state.embedded_at),
        **({} if state.role is None else {"role": np.asarray(state.role)}),
        **metrics,
        "num_steps": np.asarray(state.num_steps),
        "messages": messages,
        "bytes": messages * np.array(message_bytes(state), np.int64)[:, None],
    }


@jax.jit
def _metrics(links: Topology, state: State) -> dict[str, jax.Array]:
    return {
        "staleness": _staleness(links, state),
        **_of_models(links, state),
        "in_flight": jnp.stack([_embeddings(links, state), _pushes(state), _models(state)], axis=1),
    }


def _of_models(links: Topology, state: State) -> dict[str, jax.Array]:
    deviation, square, scale = spread_of(links.backend, state.models_alone, state.counted)
    metrics = {
        "distance": deviation.sum(axis=0) / scale.sum(),
        "norm_ratio": jnp.sqrt(square.sum(axis=0)) / state.initial_norm,
    }
    joined = state.joined
    return metrics if joined is None else {k: jnp.where(joined, v, jnp.nan) for k, v in metrics.items()}


def _staleness(links: Topology, state: State) -> jax.Array:
    version = state.embedded_at[links.senders] if state.mailbox is None else state.mailbox.version
    stale, is_held = mean_elapsed(links, version, state.tick, state.embeddings[0].dtype)
    return jnp.where(is_held, stale, jnp.nan)


def _embeddings(links: Topology, state: State) -> jax.Array:
    if state.mailbox is not None:
        return sum_over_out_edges(num_in_flight(state.mailbox.delays, state.tick), links)
    return jnp.where((state.tick > 0) & (state.embedded_at == state.tick - 1), links.out_degree, 0)


def _pushes(state: State) -> jax.Array:
    return jnp.zeros_like(state.age) if state.pushes is None else num_in_flight(state.pushes.delay, state.tick)


def _models(state: State) -> jax.Array:
    """Models in flight or waiting in an inbox, by sender."""
    return jnp.zeros_like(state.age) if state.models is None else state.models.num_open(state.num_nodes)
