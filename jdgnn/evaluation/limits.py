"""What a decentralised network could reach: one model shared by all, and gradients that pass between nodes.

Both are trained on the layers, objectives, optimiser and numbers of samples of an emulator, with the same positives a
tick; every node's negatives are as many nodes drawn at random, and nothing is dropped or late.
Axes: N nodes, K positives, C samples, F' units of a layer.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from numpy.typing import NDArray

from jdgnn.backend.per_node import per_node
from jdgnn.checks import check_count
from jdgnn.emulation.arrays import features_of
from jdgnn.emulation.start import init_model
from jdgnn.emulator import Emulator
from jdgnn.errors import InputError
from jdgnn.learning.local_step import Received, local_loss
from jdgnn.network.conversion import as_network
from jdgnn.network.topology import Topology, topology
from jdgnn.protocol.draws import below
from jdgnn.protocol.events import choose_in_edges

Watch = Callable[[int, NDArray[np.floating]], None]


@struct.dataclass(kw_only=True)
class Shared:
    """One model for all nodes, and what each embedded with it last."""

    tick: jax.Array
    key: jax.Array
    params: tuple[Any, ...]  # per layer, of one node
    opt_state: tuple[Any, ...]
    embeddings: tuple[jax.Array, ...]  # per layer [N, F']


def centralised(
    emulator: Emulator, network: Any, ticks: int, key: jax.Array, *, every: int = 10, watch: Watch | None = None
) -> NDArray[np.floating]:
    """Embeddings of one model shared by all nodes, each layer trained on its own loss: the limit of decentralisation.

    In every tick the shared model steps by the mean gradient of all nodes, as if all merged with all. Embeddings of
    neighbours and samples are those of the tick before, and constants.

    Args:
      emulator: layers, objectives, optimiser, K and C; everything else of it has no say.
      network: the network.
      ticks: how many steps.
      key: where all randomness comes from; the initial model is that of `emulator.init` with the same key.
      every: how often `watch` is called, in ticks.
      watch: called with the number of ticks done and the embeddings.

    Returns:
      All layers side by side [N, sum of F'].

    Raises:
      InputError: the network or a number is invalid.

    Example:
      >>> import jax, jdgnn
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(),
      ...     optimizer=jdgnn.adam(1e-2), push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> centralised(emulator, jdgnn.generators.ring(6), 5, jax.random.key(0)).shape
      (6, 8)
    """
    return _train(_layerwise, emulator, network, ticks, key, every, watch)


def end_to_end(
    emulator: Emulator, network: Any, ticks: int, key: jax.Array, *, every: int = 10, watch: Watch | None = None
) -> NDArray[np.floating]:
    """Embeddings of one shared model whose gradient passes through all layers and between nodes.

    Only the last layer has a loss, and nothing in it is constant. A decentralised network would have to send, besides
    embeddings, the gradient of every embedding back to the node it came from.

    Args:
      emulator: layers, the last objective, optimiser, K and C; everything else of it has no say.
      network: the network.
      ticks: how many steps.
      key: where all randomness comes from; the initial model is that of `emulator.init` with the same key.
      every: how often `watch` is called, in ticks.
      watch: called with the number of ticks done and the embeddings.

    Returns:
      All layers side by side [N, sum of F'].

    Raises:
      InputError: the network or a number is invalid.

    Example:
      >>> import jax, jdgnn
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8), jdgnn.gcn(4)], objective=jdgnn.info_nce(),
      ...     optimizer=jdgnn.adam(1e-2), push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> end_to_end(emulator, jdgnn.generators.ring(6), 5, jax.random.key(0)).shape
      (6, 12)
    """
    return _train(_through_all, emulator, network, ticks, key, every, watch)


def num_samples(emulator: Emulator) -> int:
    """C, or an InputError."""
    if emulator.push is None:
        raise InputError("emulator: it has no push, whose capacity says how many samples there are; give jdgnn.push()")
    return emulator.push.capacity


def _train(
    step: Callable[..., Shared],
    emulator: Emulator,
    network: Any,
    ticks: int,
    key: jax.Array,
    every: int,
    watch: Watch | None,
) -> NDArray[np.floating]:
    check_count("ticks", ticks)
    check_count("every", every)
    num_samples(emulator)
    network = as_network(network)
    links, features = topology(network), features_of(network)
    shared = _start(emulator, key, features)
    while (done := int(shared.tick)) < ticks:
        count = min(every, ticks - done)
        shared = _advance(emulator, links, features, shared, jnp.int32(count), step=step)
        if watch is not None:
            watch(done + count, _side_by_side(shared))
    return _side_by_side(shared)


def _side_by_side(shared: Shared) -> NDArray[np.floating]:
    return np.concatenate([np.asarray(layer) for layer in shared.embeddings], axis=1)


@jax.jit
def _start(emulator: Emulator, key: jax.Array, features: jax.Array) -> Shared:
    (num_nodes, num_features), dtype = features.shape, features.dtype
    units = emulator.units(num_features, dtype)
    params_key, run_key, _ = jax.random.split(key, 3)  # as where every node has a model of its own
    params = init_model(emulator, params_key, (num_features, *units), dtype)
    return Shared(
        tick=jnp.zeros((), jnp.int32),
        key=run_key,
        params=params,
        opt_state=tuple(map(emulator.optimizer.init, params)),
        embeddings=tuple(jnp.zeros((num_nodes, width), dtype) for width in units),
    )


@functools.partial(jax.jit, static_argnames="step")
def _advance(
    emulator: Emulator,
    links: Topology,
    features: jax.Array,
    shared: Shared,
    count: jax.Array,
    *,
    step: Callable[..., Shared],
) -> Shared:
    return jax.lax.fori_loop(0, count, lambda _, shared: step(emulator, links, features, shared), shared)


def _layerwise(emulator: Emulator, links: Topology, features: jax.Array, shared: Shared) -> Shared:
    """One tick: every layer steps by the mean gradient of its own loss, all that others sent being constant."""
    others = _drawn(emulator, links, shared)
    own, before, layers = features, (features, *shared.embeddings), []
    is_known = jnp.ones(links.num_edges, bool) & (shared.tick > 0)
    for index in range(len(emulator.layers)):
        sent, mask = before[index], jnp.ones_like(is_known) if index == 0 else is_known
        received = sent[links.senders]
        key = jax.random.fold_in(others["key"], index)
        compared = _compared(others, shared.embeddings[index], shared.tick > 0)
        loss = functools.partial(_mean_loss, emulator, index, links, own, received, mask, compared, key)
        gradient, embedding = jax.grad(loss, has_aux=True)(shared.params[index])
        layers.append((*_stepped(emulator, shared, index, gradient), embedding))
        own = embedding
    params, opt_state, embeddings = (tuple(part) for part in zip(*layers, strict=True))
    return shared.replace(tick=shared.tick + 1, params=params, opt_state=opt_state, embeddings=embeddings)  # type: ignore[attr-defined]


def _through_all(emulator: Emulator, links: Topology, features: jax.Array, shared: Shared) -> Shared:
    """One tick: all layers step by the mean gradient of the last one's loss."""
    others, last = _drawn(emulator, links, shared), len(emulator.layers) - 1

    def loss(params: tuple[Any, ...]) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        own, embeddings, mask = features, [], jnp.ones(links.num_edges, bool)
        for index in range(last):
            own = _applied(emulator, index, params[index], links, own, own[links.senders], mask)
            embeddings.append(own)
        embedding = _applied(emulator, last, params[last], links, own, own[links.senders], mask)
        compared = _compared(others, embedding, jnp.ones((), bool))
        key = jax.random.fold_in(others["key"], last)
        mean, _ = _mean_loss(emulator, last, links, own, own[links.senders], mask, compared, key, params[last])
        return mean, (*embeddings, embedding)

    gradient, embeddings = jax.grad(loss, has_aux=True)(shared.params)
    stepped = [_stepped(emulator, shared, index, layer) for index, layer in enumerate(gradient)]
    params, opt_state = (tuple(part) for part in zip(*stepped, strict=True))
    return shared.replace(tick=shared.tick + 1, params=params, opt_state=opt_state, embeddings=embeddings)  # type: ignore[attr-defined]


def _drawn(emulator: Emulator, links: Topology, shared: Shared) -> dict[str, Any]:
    """This tick's positives [N, K] and samples [N, C] as node numbers, N for none, and a key for objectives."""
    keys = jax.random.split(jax.random.fold_in(shared.key, shared.tick), 3)
    edges = choose_in_edges(keys[0], links, emulator.num_positives)
    senders = jnp.append(links.senders, jnp.int32(links.num_nodes))
    samples = below(keys[1], (links.num_nodes, num_samples(emulator)), links.num_nodes)
    return {"positives": senders[edges], "samples": samples, "key": keys[2]}


def _compared(others: dict[str, Any], embeddings: jax.Array, is_there: jax.Array) -> Received:
    positives, samples = others["positives"], others["samples"]
    return Received(
        positives=embeddings.at[positives].get(mode="fill", fill_value=0),
        pos_mask=(positives < len(embeddings)) & is_there,
        negatives=embeddings[samples],
        neg_mask=jnp.ones(samples.shape, bool) & is_there,
    )


def _mean_loss(
    emulator: Emulator,
    index: int,
    links: Topology,
    own: jax.Array,
    received: jax.Array,
    mask: jax.Array,
    compared: Received,
    key: jax.Array,
    params: Any,
) -> tuple[jax.Array, jax.Array]:
    """Mean over the nodes whose loss is defined, and the embeddings of all."""
    aggregated = _aggregated(emulator, index, params, links, own, received, mask)
    keys = jax.random.split(key, links.num_nodes)
    losses, (embedding, is_defined, _) = per_node(local_loss, shared=(0, 1, 2))(
        emulator.layers[index], emulator.objectives[index], params, own, aggregated, compared, keys
    )
    return jnp.sum(losses) / jnp.maximum(jnp.sum(is_defined, dtype=losses.dtype), 1), embedding


def _aggregated(
    emulator: Emulator,
    index: int,
    params: Any,
    links: Topology,
    own: jax.Array,
    received: jax.Array,
    mask: jax.Array,
) -> jax.Array:
    layer = emulator.layers[index]
    query = None if layer.query is None else per_node(layer.query, shared=(0,))(params["layer"], own)
    aggregated: jax.Array = layer.aggregate(own, received, mask, links, query)
    return aggregated


def _applied(
    emulator: Emulator,
    index: int,
    params: Any,
    links: Topology,
    own: jax.Array,
    received: jax.Array,
    mask: jax.Array,
) -> jax.Array:
    aggregated = _aggregated(emulator, index, params, links, own, received, mask)
    embedding: jax.Array = per_node(emulator.layers[index].apply, shared=(0,))(params["layer"], own, aggregated)
    return embedding


def _stepped(emulator: Emulator, shared: Shared, index: int, gradient: Any) -> tuple[Any, Any]:
    """Parameters and optimiser state of one layer after its step; in the first tick there is nothing to learn from."""
    optimizer: Any = emulator.optimizer
    before = shared.params[index], shared.opt_state[index]
    stepped = optimizer.step(gradient, before[1], before[0], shared.tick - 1)
    return jax.tree.map(lambda new, old: jnp.where(shared.tick > 0, new, old), stepped, before)
