"""Merging the models of inboxes into the nodes' own, layer by layer, as training needs them.

Axes: N nodes, M models in an inbox, n some nodes, F features that enter a layer, F' that leave it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp

from jdgnn.backend import bfloat16
from jdgnn.backend.backend import InPlace
from jdgnn.backend.calls import Affine, Exchange, Rounding
from jdgnn.backend.rows import once, take
from jdgnn.emulation.context import Tick
from jdgnn.emulation.fold import fold, fold_in_place, merge_all, merge_pairs, shares_of
from jdgnn.emulation.inbox import Inbox
from jdgnn.emulation.state import State
from jdgnn.emulation.train import awake
from jdgnn.emulation.ways import why_folded
from jdgnn.learning.optimizers.outer import affine, linear
from jdgnn.protocol.model import Model


class Folded(NamedTuple):
    """Models whose merge is complete."""

    params: tuple[Any, ...]
    age: jax.Array
    weight: jax.Array | None = None

    def layer(self, index: int) -> Any:
        """Parameters of one layer [n, ...]."""
        return self.params[index]


@dataclass(frozen=True)
class MergedInPlace:
    """Models of all nodes, merged in place: each layer in the pass that multiplies by it."""

    own: tuple[Any, ...]  # per layer [N, ...]
    age: jax.Array  # [N], after merging
    sent: tuple[Any, ...] | None  # per layer [Q, ...]; None for the nodes' own
    exchange: Exchange
    pending: tuple[Any, ...] | None  # per layer, steps to be made before
    kernels: InPlace
    seed: jax.Array | None = None  # [N, M] uint32, to round merged numbers with; None where nothing is rounded
    weight: None = None  # rules with weights are not merged in place

    @cached_property
    def numbers(self) -> tuple[Any, ...]:
        """The number of each array among those of all layers, by which its seeds differ from those of others."""
        leaves, structure = jax.tree.flatten(self.own)
        return tuple(jax.tree.unflatten(structure, range(len(leaves))))

    def layer(self, index: int) -> Any:
        """Merges one layer now and returns its parameters [N, ...]; call it once per layer."""
        return self._parts(index, list(self.own[index]))

    def multiplied(self, index: int, given: list[dict[str, jax.Array]]) -> tuple[Any, jax.Array]:
        """Parameters of one layer, and sums of its linear maps of given vectors [N, len(given), F'], in one pass."""
        own, maps, products = self.own[index], {}, []
        for name in given[0]:
            vectors = jnp.stack([inputs[name] for inputs in given], axis=1)
            there = None if self.sent is None else affine(self.sent[index]["layer"][name])
            step = None if self.pending is None else self.pending[index][name]
            numbers = self.numbers[index]["layer"][name]
            exchange = self._exchange(numbers["kernel"], numbers.get("bias", 0))
            new, product = self.kernels.merge(affine(own["layer"][name]), there, exchange, step, vectors)
            maps[name] = linear(new)
            products.append(product)
        others = self._parts(index, [part for part in own if part != "layer"])
        return {"layer": maps} | others, sum(products[1:], start=products[0])

    def _parts(self, index: int, names: list[str]) -> dict[str, Any]:
        """Some parts of the parameters of one layer, merged."""
        layers = [self.numbers[index], self.own[index], *([] if self.sent is None else [self.sent[index]])]
        merged: dict[str, Any] = jax.tree.map(
            self._merged, *({name: layer[name] for name in names} for layer in layers)
        )
        return merged

    def _exchange(self, matrix: int, bias: int) -> Exchange:
        """The exchange of the arrays of these numbers."""
        if self.seed is None:
            return self.exchange
        rounding = Rounding(bfloat16.leaf_seed(self.seed, matrix), bfloat16.leaf_seed(self.seed, bias))
        return self.exchange._replace(rounding=rounding)

    def _merged(self, number: int, own: jax.Array, sent: jax.Array | None = None) -> jax.Array:
        """Numbers of all nodes [N, ...] after merging."""
        if not own.size:
            return own
        there = None if sent is None else _as_affine(sent)
        exchange = self._exchange(number, number)
        return self.kernels.merge(_as_affine(own), there, exchange, None, None)[0].matrix.reshape(own.shape)


Merged = Folded | MergedInPlace
"""The models of some nodes after merging, and their ages [n]."""


def _as_affine(numbers: jax.Array) -> Affine:
    """Numbers [N, ...] as a matrix of one row at each node."""
    return Affine(numbers.reshape(numbers.shape[0], 1, -1), jnp.zeros((numbers.shape[0], 0), numbers.dtype))


def merge(tick: Tick, state: State, inbox: Inbox | None, own: Model, nodes: jax.Array | None) -> Merged:
    """Merges the models in inboxes into the nodes' own: in place where the backend can, else folded one by one.

    Args:
      tick: the tick.
      state: all nodes.
      inbox: the models to merge; None for none.
      own: models of some nodes [n, ...].
      nodes: their numbers [n]; None for all.
    """
    dims = chex.Dimensions(N=state.num_nodes)
    chex.assert_tree_shape_prefix(own, dims["N"] if nodes is None else nodes.shape)
    kernels = tick.backend.in_place
    has_rows = nodes is None or not tick.backend.blocks  # kernels take all nodes
    if kernels is not None and has_rows and why_folded(tick.spec, state, tick.backend) is None:
        return _in_place(tick, state, inbox, own, nodes, kernels)
    return Folded(*_folded(tick, state, inbox, own, nodes))


def _folded(tick: Tick, state: State, inbox: Inbox | None, own: Model, nodes: jax.Array | None) -> Model:
    """The models with those of the inboxes folded in."""
    gossip, transport = tick.spec.gossip, tick.transport
    if gossip is None or transport is None or inbox is None:
        return own
    sent = transport.content(state.models, Model(state.params, state.age, state.weight))
    if gossip.merge.merge_all is not None:
        return merge_all(gossip, inbox, sent, own, nodes)
    if not transport.is_own or gossip.order == "train_then_merge":
        return fold(gossip, inbox, sent, own, nodes)
    has_pairs = gossip.peers.has_pairs and gossip.fanout == 1 and tick.backend.blocks
    if transport.partners is None or not has_pairs:
        return _fold_own(tick, inbox, own)
    (partner, is_paired), is_merged = transport.partners(state.models), inbox.is_merged[:, 0]
    own = once(is_paired, lambda own: merge_pairs(gossip, partner, is_merged, own, inbox.seed), own)
    return once(~is_paired, lambda own: _fold_own(tick, inbox, own), own)


def _fold_own(tick: Tick, inbox: Inbox, models: Model) -> Model:
    """The fold where the sent models are the nodes' own; in place, if the rule allows it."""
    gossip = tick.spec.gossip
    assert gossip is not None
    if gossip.merge.weigh is not None:
        return fold_in_place(gossip, inbox, models, blocks=tick.backend.blocks)
    return fold(gossip, inbox, models, models, None)


def _in_place(
    tick: Tick, state: State, inbox: Inbox | None, own: Model, nodes: jax.Array | None, kernels: InPlace
) -> MergedInPlace:
    params, age, _ = own
    dtype = state.embeddings[0].dtype
    active = awake(tick, jnp.ones(age.shape, bool), nodes)
    nobody = jnp.full(age.shape, -1, jnp.int32)
    gossip, transport = tick.spec.gossip, tick.transport
    if gossip is None or transport is None or inbox is None:
        source = nobody[:, None]
        exchange = Exchange(kernels.plan(nobody, active), source, jnp.zeros(source.shape, dtype))
        return MergedInPlace(params, age, None, exchange, state.pending, kernels)
    sent, sent_age, _ = transport.content(state.models, Model(state.params, state.age))
    inbox = take(inbox, nodes)
    share, age = shares_of(gossip, inbox, sent_age, age)
    source = jnp.where(inbox.is_merged, inbox.row, -1)
    # other nodes may still have to read a model that is overwritten: the plan orders that, for one model a node
    is_ordered = transport.is_own and gossip.order != "train_then_merge" and gossip.capacity == 1
    plan = kernels.plan(source[:, 0] if is_ordered else nobody, active)
    exchange = Exchange(plan, source, share.astype(dtype))
    seed = None if inbox.seed is None else inbox.seed[:, None] + inbox.fold_index.astype(jnp.uint32)
    return MergedInPlace(params, age, None if is_ordered else sent, exchange, state.pending, kernels, seed)
