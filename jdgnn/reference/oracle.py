"""The whole network, node by node and message by message.

One tick: presence → arrivals are stored → who is active is fixed → merge and train → send. Axes: N nodes, F0 features
of a node.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.emulation.check_parts import units_of
from jdgnn.emulation.spec import Spec
from jdgnn.keys import on_host
from jdgnn.network.topology import Topology
from jdgnn.reference.draws import Draws
from jdgnn.reference.message import Message, Post
from jdgnn.reference.node import Node, Wake
from jdgnn.reference.one_layer import COMPILED, Arithmetic
from jdgnn.reference.rules import Check, Rules, unchecked


class Oracle:
    """N nodes and the post between them."""

    def __init__(
        self,
        spec: Spec,
        links: Topology,
        features: Any,  # [N, F0]
        params: Any,
        opt_state: Any,
        *,
        arithmetic: Arithmetic = COMPILED,
        check: Check = unchecked,
    ) -> None:
        """Sets up the network before its first tick; parameters and optimiser states are stacked by node."""
        self.now, self.features = 0, np.asarray(features)
        self.rules = Rules(spec, links, arithmetic, check)
        units = units_of(spec.layers, self.features.shape[1], self.features.dtype)
        held = on_host((tuple(params), tuple(opt_state)))
        has_weight = spec.gossip is not None and spec.gossip.merge.divide is not None
        self.nodes = [
            Node(
                number=number,
                rules=self.rules,
                features=jnp.asarray(self.features[number]),
                in_edges={},
                out_edges={},
                degree=0,
                params=row_of(held[0], number),
                opt_state=row_of(held[1], number),
                embeddings=tuple(jnp.zeros(width, self.features.dtype) for width in units),
                schedule_memory={
                    kind: () if (schedule := self.rules.schedule(kind)) is None else schedule.init()
                    for kind in ("push", "model")
                },
                weight=jnp.ones(()) if has_weight else None,
                num_steps=[0] * len(units),
                num_idle=[0] * len(units),
                content_memory=self._first_memory(row_of(held[0], number)),
            )
            for number in range(links.num_nodes)
        ]
        for edge, (src, dst) in enumerate(zip(links.senders.tolist(), links.receivers.tolist(), strict=True)):
            self.nodes[src].out_edges[edge] = dst
            self.nodes[dst].in_edges[edge] = src
            self.nodes[dst].degree += 1
        self.post = Post([node.accounts for node in self.nodes])

    def _first_memory(self, params: Any) -> Any:
        return None if self.rules.content is None else self.rules.content.init(params)

    def tick(self, events: Any) -> list[Wake]:
        """Runs one tick; returns the records of wakes. `events` are as `Draws` reads them."""
        draws = Draws(events)
        active = self._receive(draws)
        wakes = [node.wake(draws, self.post) for node in active]
        models = []
        for node in active:
            self._post_all(node.publish(draws) + node.push(draws))
            models += node.send_models(draws)
            node.wakes += 1
        self._post_models(models)
        self.now += 1
        return wakes

    def refresh(self, events: Any) -> None:
        """Runs one tick in which embeddings are computed and sent to all; models and counters do not change."""
        draws = Draws(events)
        for node in self._receive(draws):
            node.embed()
            self._post_all(node.publish(draws, is_refresh=True) + node.push(draws, is_refresh=True))
        self.now += 1

    def _receive(self, draws: Draws) -> list[Node]:
        """Stores the arrivals at every online node; returns the active nodes."""
        arrivals, active = self.post.arrivals(self.now), []
        assert self.rules.spec.availability is not None
        on_receipt = self.rules.spec.availability.on_receipt
        for node in self.nodes:
            node.begin_tick(self.now, {e: self.features[u] for e, u in node.in_edges.items() if draws.has_joined(u)})
            mine = [message for message in arrivals if message.dst == node.number]
            if draws.is_online(node.number):
                node.store(mine, self.post)
                is_woken = on_receipt and any(model.tick_due == self.now for model in node.inbox)
                active += [node] if is_woken or draws.is_awake(node.number) else []
            else:
                for message in mine:
                    self.post.settle(message, "to_offline")
        return active

    def _post_all(self, messages: list[Message]) -> None:
        for message in messages:
            self.post.send(message)

    def _post_models(self, models: list[Message]) -> None:
        """Sends the models of a tick; passed-on ones have a place already, the others take what places are left."""
        self._post_all([model for model in models if model.is_passed_on])
        places = self.rules.num_places
        for model in sorted((model for model in models if not model.is_passed_on), key=lambda model: model.order):
            self.post.send(model, has_place=places is None or self.num_places_taken < places)

    @property
    def num_places_taken(self) -> int:
        """Number of models that need a place: on their way, in an inbox, or kept to be passed on."""
        return self.num_waiting("model") + sum(node.kept is not None for node in self.nodes)

    def num_waiting(self, kind: str) -> int:
        """Number of messages of one kind on the way or in an inbox."""
        waiting = self.post.in_flight + [message for node in self.nodes for message in node.inbox]
        return sum(message.kind == kind for message in waiting)


def row_of(tree: Any, number: int) -> Any:
    """The row of one node in a tree of arrays [N, ...]."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf[number]), tree)
