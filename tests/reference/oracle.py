"""The whole network, node by node and message by message.

One tick: presence → arrivals are stored → who is active is fixed → merge and train → send.
"""

from typing import Any

import jax
import numpy as np

from jdgnn.network.network import Network
from tests.reference.draws import Draws
from tests.reference.messages import Message, Post
from tests.reference.node import Node, Parts, Rules, jittable
from tests.reference.twins import Tree


class Oracle:
    """N nodes and the post between them."""

    def __init__(self, network: Network, rules: Rules, parts: Parts, params: Any, opt_state: Any) -> None:
        """Sets up the network before its first tick.

        Args:
          network: who exists and who is linked.
          rules: what every node does.
          parts: the functions of the local step.
          params: parameters of each layer, nodes stacked first.
          opt_state: optimiser state of each layer, nodes stacked first.
        """
        self.now = 0
        self.rules = rules
        self.features = network.features
        self.post = Post(network.num_nodes)
        edges = list(enumerate(zip(network.senders.tolist(), network.receivers.tolist(), strict=True)))
        degree = [sum(receiver == v for _, (_, receiver) in edges) for v in range(network.num_nodes)]
        self.nodes = []
        for v in range(network.num_nodes):
            in_edges = {e: sender for e, (sender, receiver) in edges if receiver == v}
            self.nodes.append(
                Node(
                    number=v,
                    rules=rules,
                    parts=jittable(parts),
                    in_edges=in_edges,
                    out_edges={e: receiver for e, (sender, receiver) in edges if sender == v},
                    degrees={u: degree[u] for u in (v, *in_edges.values())},
                    features=network.features[v],
                    params=[_row(layer, v) for layer in params],
                    opt_state=[_row(layer, v) for layer in opt_state],
                    num_steps=[0] * len(rules.layers),
                    num_idle=[0] * len(rules.layers),
                )
            )

    def tick(self, events: Any) -> None:
        """Runs one tick; `events` is the package's record of everything random in it."""
        draws = Draws(events)
        active = self._receive(draws)
        for node in active:
            node.wake(draws, self.post)
        models = []
        for node in active:
            self._post_all(node.publish(draws) + node.push(draws))
            models += node.send_models(draws)
            node.wakes += 1
        self._post_models(models)
        self.now += 1

    def refresh(self, events: Any) -> None:
        """Runs one tick in which embeddings are computed and sent to all; models and counters stand still."""
        draws = Draws(events)
        for node in self._receive(draws):
            node.embed()
            self._post_all(node.publish(draws, is_refresh=True) + node.push(draws, is_refresh=True))
        self.now += 1

    def _receive(self, draws: Draws) -> list[Node]:
        """Stores what arrives at every online node; the active nodes."""
        arrivals, active = self.post.arrivals(self.now), []
        for node in self.nodes:
            node.begin_tick(self.now, {e: self.features[u] for e, u in node.in_edges.items() if draws.has_joined(u)})
            mine = [m for m in arrivals if m.dst == node.number]
            if draws.is_online(node.number):
                node.store(mine, self.post)
                is_woken = self.rules.on_receipt and any(model.tick_due == self.now for model in node.inbox)
                active += [node] if is_woken or draws.is_awake(node.number) else []
            else:
                for message in mine:
                    self.post.settle(message, "to_offline")
        return active

    def _post_all(self, messages: list[Message]) -> None:
        for message in messages:
            self.post.send(message)

    def _post_models(self, models: list[Message]) -> None:
        """Posts the models of a tick; one that is passed on has its place, the others take what places are left."""
        self._post_all([m for m in models if m.is_passed_on])
        for message in sorted((m for m in models if not m.is_passed_on), key=lambda m: m.order):
            self.post.send(message, has_place=self.rules.pool is None or self.num_places_taken < self.rules.pool)

    @property
    def num_places_taken(self) -> int:
        """Number of models that must be kept somewhere: on the way, in an inbox, or refused and to be passed on."""
        return self.num_waiting("model") + sum(node.kept is not None for node in self.nodes)

    def num_waiting(self, kind: str) -> int:
        """Number of messages of one kind on the way or in an inbox."""
        waiting = self.post.in_flight + [m for node in self.nodes for m in node.inbox]
        return sum(m.kind == kind for m in waiting)

    def stacked(self, name: str, layer: int) -> Tree:
        """`params` or `opt_state` of one layer, nodes stacked first."""
        return jax.tree.map(lambda *rows: np.stack(rows), *(getattr(node, name)[layer] for node in self.nodes))


def _row(tree: Tree, v: int) -> Tree:
    return jax.tree.map(lambda leaf: np.array(leaf[v]), tree)
