"""The same network, state and events with other numbers for the nodes."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jdgnn
from jdgnn.emulation.state import State
from jdgnn.protocol.events import Events
from jdgnn.protocol.transport import ModelFlight, ModelPool

COMMON = {
    "tick",
    "network",
    "key",
    "availability",
    "attendance",
    "num_idle",
    "num_excess",
    "num_unplaced",
    "num_crowded",
    "initial_norm",
}
OVER_EDGES = {"mailbox", "link_up", "embedding_dropped", "embedding_delay"}


class Relabelling:
    """Old node v becomes node `new[v]`."""

    def __init__(self, network: jdgnn.Network, new: np.ndarray) -> None:
        self.new, self.old = new, np.argsort(new)
        senders, receivers = new[network.senders], new[network.receivers]
        self.old_edge = np.lexsort((senders, receivers))
        self.network = replace(
            network,
            features=network.features[self.old],
            senders=senders[self.old_edge].astype(np.int32),
            receivers=receivers[self.old_edge].astype(np.int32),
        )

    def rows(self, tree: Any) -> Any:
        """What nodes hold, in the new order."""
        return jax.tree.map(lambda leaf: leaf[self.old], tree)

    def over_edges(self, tree: Any) -> Any:
        """What edges hold, in the new order."""
        return jax.tree.map(lambda leaf: leaf[self.old_edge], tree)

    def nodes(self, numbers: jax.Array) -> jax.Array:
        """The new numbers of nodes; nobody stays nobody."""
        return jnp.asarray(np.append(self.new, len(self.new)).astype(np.int32))[numbers]

    def state(self, state: State) -> State:
        """The same state with other numbers; clocks and presence, which have had their say, are left alone."""
        moved = {
            name: self.over_edges(value) if name in OVER_EDGES else self.rows(value)
            for name, value in vars(state).items()
            if name not in COMMON | {"models", "pushes"}
        }
        pushes = None if state.pushes is None else self._sent(state.pushes)
        models = state.models
        if isinstance(models, ModelFlight):
            models = self._sent(models)
        elif isinstance(models, ModelPool):
            models = self._pool(models)
        return replace(state, **moved, pushes=pushes, models=models)

    def _sent(self, flight: Any) -> Any:
        moved = self.rows(flight)
        return replace(moved, dst=self.nodes(moved.dst))

    def _pool(self, pool: ModelPool) -> ModelPool:
        """The same places; what is written on the models in them has changed."""
        return replace(
            pool,
            src=self.nodes(pool.src),
            dst=self.nodes(pool.dst),
            inbox=self.rows(pool.inbox),
            kept=self.rows(pool.kept),
        )

    def events(self, events: Events) -> Events:
        """The same events with other numbers."""
        moved = {
            name: self.over_edges(value) if name in OVER_EDGES else self.rows(value)
            for name, value in vars(events).items()
            if name != "key"
        }
        new_edge = np.append(np.argsort(self.old_edge), len(self.old_edge)).astype(np.int32)
        return Events(
            **moved
            | {
                "push_dst": self.nodes(moved["push_dst"]),
                "model_dst": self.nodes(moved["model_dst"]),
                "positives": jnp.asarray(new_edge)[moved["positives"]],
                "key": events.key,
            }
        )


def contents(pool: ModelPool) -> dict[str, Any]:
    """What is in a pool, whatever the places: models in inboxes, kept, and on their way in order of rank."""
    held = (pool.params, pool.age, pool.src, pool.tick_sent, pool.tick_due, pool.rank)

    def at(places: Any) -> Any:
        return jax.tree.map(lambda leaf: leaf.at[places].get(mode="fill", fill_value=0), held)

    is_going = ~pool.is_free & (pool.dst < pool.inbox.shape[0])
    going = np.flatnonzero(is_going)
    going = going[np.argsort(np.asarray(pool.rank)[going])]
    return {
        "inbox": at(pool.inbox),
        "num_waiting": jnp.sum(pool.inbox < pool.num_places, axis=1),
        "kept": None if pool.kept is None else (at(pool.kept), pool.kept < pool.num_places),
        "going": (at(going), pool.dst[going]),
        "num_free": jnp.sum(pool.is_free),
    }
