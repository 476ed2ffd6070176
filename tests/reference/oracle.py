"""The whole network, node by node and message by message.

One tick: presence → arrivals are stored → merge → train → send. Every node is online and awake, and every message
takes one tick; whatever changes that changes `tick_due` of a message, or who takes part in `Oracle.tick`.
"""

from typing import Any

import jax
import numpy as np

from jdgnn.network.network import Network
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
        self.post = Post()
        self.edges = list(zip(network.senders.tolist(), network.receivers.tolist(), strict=True))
        degree = [sum(receiver == v for _, receiver in self.edges) for v in range(network.num_nodes)]
        self.nodes = []
        for v in range(network.num_nodes):
            in_edges = {e: u for e, (u, receiver) in enumerate(self.edges) if receiver == v}
            self.nodes.append(
                Node(
                    number=v,
                    rules=rules,
                    parts=jittable(parts),
                    in_edges=in_edges,
                    degrees={u: degree[u] for u in (v, *in_edges.values())},
                    features=network.features[v],
                    neighbour_features={u: network.features[u] for u in in_edges.values()},
                    params=[_row(layer, v) for layer in params],
                    opt_state=[_row(layer, v) for layer in opt_state],
                    num_steps=[0] * len(rules.layers),
                )
            )

    def tick(self, events: Any) -> None:
        """Runs one tick; `events` is the package's record of everything random in it."""
        arrivals = self.post.arrivals(self.now)
        for node in self.nodes:
            node.store([m for m in arrivals if m.dst == node.number], self.post)
        for node in self.nodes:
            node.merge(self.post)
            node.train(events.positives[node.number].tolist(), events.keys[node.number])
            self._send_embeddings(node)
            if node.is_push_due():
                self._send("push", node, node.embeddings, events.push_dst, events.push_rank)
            if node.is_model_due():
                self._send("model", node, (node.params, np.int32(node.age)), events.model_dst, events.model_rank)
            node.wakes += 1
        self.now += 1

    def _send_embeddings(self, node: Node) -> None:
        for edge, (src, dst) in enumerate(self.edges):
            if src == node.number:
                self.post.send(self._message("embedding", src, dst, 0, edge, node.embeddings))

    def _send(self, kind: str, node: Node, payload: Any, all_dst: Any, all_rank: Any) -> None:
        """Sends a copy of the payload to each candidate; candidate N is nobody."""
        num_nodes, num_candidates = all_dst.shape
        for s in range(num_candidates):
            dst, rank = int(all_dst[node.number, s]), int(all_rank[node.number, s])
            if dst < num_nodes:
                self.post.send(self._message(kind, node.number, dst, rank, node.number * num_candidates + s, payload))

    def _message(self, kind: str, src: int, dst: int, rank: int, slot: int, payload: Any) -> Message:
        return Message(kind, src, dst, self.now, self.now + 1, rank, slot, payload)

    def num_waiting(self, kind: str) -> int:
        """Number of messages of one kind on the way or in an inbox."""
        waiting = self.post.in_flight + [m for node in self.nodes for m in node.inbox]
        return sum(m.kind == kind for m in waiting)

    def stacked(self, name: str, layer: int) -> Tree:
        """`params` or `opt_state` of one layer, nodes stacked first."""
        return jax.tree.map(lambda *rows: np.stack(rows), *(getattr(node, name)[layer] for node in self.nodes))


def _row(tree: Tree, v: int) -> Tree:
    return jax.tree.map(lambda leaf: np.array(leaf[v]), tree)
