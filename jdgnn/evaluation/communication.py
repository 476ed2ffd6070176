"""What each way of getting an embedding makes every node send, in bytes.

Counted is the payload that nodes send, at the dtype in which it is stored, as in the accounts of a run: whether it gets
through or not, and without headers. As in a run, what its in-neighbours measure is known to a learning node from the
start. A network where it is not would have to send F0 numbers over each link once before it learns: the cost of one hop
of propagation, which stands in no figure of what learns.

Axes: N nodes, L layers, K positives, C samples, T ticks, F0 features, F' units of a layer.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from jdgnn.checks import check_count
from jdgnn.emulation.node_table import node_table
from jdgnn.emulation.start import init_model, message_bytes, tree_bytes
from jdgnn.emulation.state import State
from jdgnn.emulator import Emulator
from jdgnn.errors import InputError
from jdgnn.evaluation.label_propagation import NUM_ROUNDS
from jdgnn.evaluation.limits import num_samples
from jdgnn.evaluation.synchronous_messages import synchronous_messages
from jdgnn.learning.optimizers.merged import without_moments
from jdgnn.network.conversion import as_network
from jdgnn.network.network import Network
from jdgnn.protocol.accounts import KINDS, OUTCOMES


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Cost:
    """Bytes sent from the start to the end, by kind of message; what a server sends, where one is needed, is apart."""

    by_kind: dict[str, NDArray[np.int64]]  # what each node sends [N]
    by_server: int = 0  # to all nodes together

    @property
    def per_node(self) -> NDArray[np.int64]:
        """What each node sends, of all kinds [N]."""
        total: NDArray[np.int64] = np.sum(list(self.by_kind.values()), axis=0)
        return total

    @property
    def mean(self) -> float:
        """Mean over nodes."""
        return float(self.per_node.mean())

    @property
    def largest(self) -> int:
        """What the node sends that sends most."""
        return int(self.per_node.max())

    @property
    def total(self) -> int:
        """What all nodes send, and the server."""
        return int(self.per_node.sum()) + self.by_server

    def __repr__(self) -> str:
        server = f", and the server {self.by_server:,}" if self.by_server else ""
        return f"Cost({self.mean:,.0f} bytes a node, {self.largest:,} at most{server})"


def communication(
    emulator: Emulator, network: Any, ticks: int, *, state: State | None = None, width: int | None = None
) -> dict[str, Cost]:
    """What each way of getting an embedding costs, side by side.

    Args:
      emulator: layers, objectives, K, C and all that decides what is sent.
      network: the network.
      ticks: T, how long the decentralised run and both limits take.
      state: all nodes after a run, whose own accounts are then the decentralised figure, whatever `ticks` says; None
        predicts it, which needs nodes that are always awake.
      width: columns of the random projection; those of all layers together if None.

    Returns:
      Costs by name: `decentralised`, of which `decentralised_cost` or `synchronous_cost` tells; `centralised` and
      `end_to_end`; `untrained`, which sends the embeddings of all layers but the last once; `raw`, which sends nothing;
      `propagated_1hop` to `propagated_3hop` and `projected_2hop`; and, with labels, `label_propagation`.

    Raises:
      InputError: an argument is invalid, or cannot be predicted.

    Example:
      >>> import jdgnn
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(), optimizer=jdgnn.adam(1e-2),
      ...     push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> communication(emulator, jdgnn.generators.ring(6), 10)["propagated_2hop"]
      Cost(512 bytes a node, 512 at most)
    """
    network = as_network(network)
    units = emulator.units(network.num_features)
    hops = {f"propagated_{number}hop": propagation_cost(network, number) for number in (1, 2, 3)}
    costs = {
        "decentralised": synchronous_cost(emulator, network, ticks)
        if state is None
        else decentralised_cost(state, network),
        "centralised": centralised_cost(emulator, network, ticks),
        "end_to_end": end_to_end_cost(emulator, network, ticks),
        "untrained": Cost(by_kind={"embedding": _to_neighbours(network, sum(units[:-1]))}),
        "raw": propagation_cost(network, 0),
        **hops,
        "projected_2hop": propagation_cost(network, 2, width=sum(units) if width is None else width),
    }
    return costs if network.labels is None else {**costs, "label_propagation": label_propagation_cost(network)}


def decentralised_cost(state: State, network: Any) -> Cost:
    """What nodes have sent so far, from the accounts of their run.

    Args:
      state: all nodes.
      network: the network the state was made for.

    Returns:
      Bytes by `embedding`, `push` and `model`.

    Raises:
      InputError: the state was consumed, or belongs to another network.

    Example:
      >>> import jax, jdgnn
      >>> network = jdgnn.generators.ring(6)
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(), optimizer=jdgnn.adam(1e-2),
      ...     push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> decentralised_cost(emulator.init(jax.random.key(0), network), network).mean
      0.0
    """
    sent = node_table(state, network)["bytes"][:, :, OUTCOMES.index("sent")]
    return Cost(by_kind=dict(zip(KINDS, sent.T, strict=True)))


def synchronous_cost(emulator: Emulator, network: Any, ticks: int) -> Cost:
    """What nodes send that are always awake, without a run; it agrees with the accounts of one to the byte.

    At a wake at which its schedule says so, a node sends the embeddings of all layers to each out-neighbour and to
    `push.fanout` random nodes, and its parameters and age to `gossip.fanout`.

    Args:
      emulator: layers, and all that decides what is sent.
      network: the network.
      ticks: T.

    Returns:
      Bytes by `embedding`, `push` and `model`.

    Raises:
      InputError: what is sent depends on draws, or on what was merged: the accounts of a run are needed then.

    Example:
      >>> import jdgnn
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(), optimizer=jdgnn.adam(1e-2),
      ...     push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> cost = synchronous_cost(emulator, jdgnn.generators.ring(6), 10)
      >>> {kind: int(sent[0]) for kind, sent in cost.by_kind.items()}
      {'embedding': 640, 'push': 2560, 'model': 10600}
    """
    check_count("ticks", ticks)
    network = as_network(network)
    sizes = message_bytes(emulator.shapes(network))
    messages = synchronous_messages(emulator, network, ticks)
    return Cost(by_kind={kind: messages[kind] * size for kind, size in zip(KINDS, sizes, strict=True)})


def centralised_cost(emulator: Emulator, network: Any, ticks: int) -> Cost:
    """What `centralised` would make nodes send, with a server that averages gradients.

    In every tick a node sends the embeddings of all layers to each out-neighbour, as decentralised ones do, and to C
    other nodes, since all C samples of a step are new. In every tick but the first, in which nobody steps, it sends
    the gradient of all parameters to the server, which sends the new model to all N nodes. With P bytes of
    parameters and B of embeddings, node v sends T (out-degree of v + C) B + (T − 1) P, and the server N (T − 1) P.
    All nodes start from a common seed.

    Without a server, an all-reduce around a ring gives all nodes the mean gradient for 2 P (N − 1) / N sent by each in
    place of P: Patarasuk & Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", JPDC 2009.

    Args:
      emulator: layers, objectives and C.
      network: the network.
      ticks: T.

    Returns:
      Bytes by `embedding`, `push` and `gradient`, and those of the server.

    Raises:
      InputError: a number is invalid, or the emulator has no push.

    Example:
      >>> import jdgnn
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(), optimizer=jdgnn.adam(1e-2),
      ...     push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> centralised_cost(emulator, jdgnn.generators.ring(6), 10)
      Cost(15,264 bytes a node, 15,264 at most, and the server 57,024)
    """
    network = as_network(network)
    return _shared_cost(emulator, network, ticks, num_compared=sum(emulator.units(network.num_features)))


def end_to_end_cost(emulator: Emulator, network: Any, ticks: int) -> Cost:
    """What `end_to_end` would make nodes send, with a server that averages gradients.

    In every tick a node sends the embeddings of all layers to each out-neighbour, and that of the last layer, which
    alone has a loss, to C other nodes. In every tick but the first it sends the gradient of all parameters to the
    server, as in `centralised_cost`, and the gradients of all that it received back to where it came from: over each
    in-edge those of the layers below the last, whose embeddings entered a layer, and those of the last layer's
    embeddings of its positives and samples, whether or not an objective looks at both. With b bytes of a number, F'ₗ
    units of layer l and d the in-degree of v, these are b (d ΣF'ₗ for l < L + (min(K, d) + C) F'_L) a tick. Gradients
    of features are nobody's.

    Args:
      emulator: layers, K and C.
      network: the network.
      ticks: T.

    Returns:
      Bytes by `embedding`, `push`, `gradient` and `embedding_gradient`, and those of the server.

    Raises:
      InputError: a number is invalid, or the emulator has no push.

    Example:
      >>> import jdgnn
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(), optimizer=jdgnn.adam(1e-2),
      ...     push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> end_to_end_cost(emulator, jdgnn.generators.ring(6), 10)
      Cost(20,448 bytes a node, 20,448 at most, and the server 57,024)
    """
    network = as_network(network)
    *below, last = emulator.units(network.num_features)
    cost = _shared_cost(emulator, network, ticks, num_compared=last)
    degree = network.in_degree.astype(np.int64)
    returned = degree * sum(below) + (np.minimum(degree, emulator.num_positives) + num_samples(emulator)) * last
    returned_bytes = (ticks - 1) * returned * _number_bytes(network)
    return dataclasses.replace(cost, by_kind={**cost.by_kind, "embedding_gradient": returned_bytes})


def propagation_cost(network: Any, hops: int, *, width: int | None = None) -> Cost:
    """What `propagate` makes nodes send: in each hop as many numbers as there are columns to each out-neighbour.

    A random projection comes from a common seed, so that its matrix is not sent, and only its columns are.

    Args:
      network: the network.
      hops: how often; 0 sends nothing.
      width: columns; F0 if None.

    Returns:
      Bytes of `features`.

    Raises:
      InputError: a number is invalid.

    Example:
      >>> from jdgnn.network import ring
      >>> propagation_cost(ring(6, num_features=5), 3).mean
      120.0
    """
    check_count("hops", hops, minimum=0)
    network = as_network(network)
    width = network.num_features if width is None else width
    check_count("width", width)
    return Cost(by_kind={"features": hops * _to_neighbours(network, width)})


def label_propagation_cost(network: Any) -> Cost:
    """What `label_propagation` makes nodes send with one α: a number for each class to each out-neighbour, 100 times.

    Choosing α among `SHARES` would take as many times that, and numbers are taken to be as wide as those of features.

    Args:
      network: the network, with labels.

    Returns:
      Bytes of `scores`.

    Raises:
      InputError: labels are missing.

    Example:
      >>> from jdgnn.network import from_edges
      >>> label_propagation_cost(from_edges([0], [1], np.eye(2, dtype=np.float32), labels=[0, 1]))
      Cost(400 bytes a node, 800 at most)
    """
    network = as_network(network)
    if network.labels is None:
        raise InputError(f"network: {network.name!r} has no labels to spread; make it with labels=")
    num_classes = int(network.labels.max()) + 1
    return Cost(by_kind={"scores": NUM_ROUNDS * _to_neighbours(network, num_classes)})


def _shared_cost(emulator: Emulator, network: Network, ticks: int, *, num_compared: int) -> Cost:
    """What one shared model takes: embeddings of all layers, samples of so many numbers, gradients, and the model."""
    check_count("ticks", ticks)
    pushed = ticks * num_samples(emulator) * num_compared * _number_bytes(network)
    gradients = (ticks - 1) * _model_bytes(emulator, network)
    return Cost(
        by_kind={
            "embedding": ticks * _to_neighbours(network, sum(emulator.units(network.num_features))),
            "push": np.full(network.num_nodes, pushed),
            "gradient": np.full(network.num_nodes, gradients),
        },
        by_server=network.num_nodes * gradients,
    )


def _to_neighbours(network: Network, num_numbers: int) -> NDArray[np.int64]:
    """Bytes each node sends [N] that sends so many numbers to each out-neighbour once."""
    out_degree = np.bincount(network.senders, minlength=network.num_nodes).astype(np.int64)
    return out_degree * num_numbers * _number_bytes(network)


def _number_bytes(network: Network) -> int:
    return int(jax.dtypes.canonicalize_dtype(network.features.dtype).itemsize)


def _model_bytes(emulator: Emulator, network: Network) -> int:
    """Parameters of one model without moments, in the precision of features, in which limits compute."""
    dtype = jax.dtypes.canonicalize_dtype(network.features.dtype)
    widths = (network.num_features, *emulator.units(network.num_features, dtype))
    model = jax.eval_shape(lambda key: init_model(emulator, key, widths, dtype), jax.random.key(0))
    return tree_bytes(tuple(map(without_moments, model)))
