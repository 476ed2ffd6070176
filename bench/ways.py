"""The ways to an embedding that `bench.quality` compares: the recipe, limits, and no learning at all."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

import jdgnn
from jdgnn import Emulator, Network, Recipe, evaluation, links, optimizers
from jdgnn.recipe import TICKS, learning_ticks

STEPS = learning_ticks(TICKS)
"""Of the default recipe, after which nodes merge alone."""


class Embedded(NamedTuple):
    """Vectors to be judged [N, W], and how many own features stand beside them where labels say what they weigh."""

    vectors: np.ndarray
    own_features: int = 0


Embed = Callable[[Network, int], Embedded]
Change = Callable[[Emulator], Emulator]
LATE_TICKS = 580
"""As many wakes as in step at nodes half awake, and time to agree."""

NAMES = {
    "decentralised": "decentralised, synchronous",
    "asynchronous": "decentralised, drop 0.3, half awake, delay 0..10",
    "centralised": "one shared model, same objectives",
    "end_to_end": "one shared model, end to end",
    "untrained": "untrained encoder of the same shape",
    "untrained_sage": "untrained SAGE of the same shape, without own features",
    "raw": "raw features",
    "hops_1": "features propagated over 1 hop",
    "hops_2": "features propagated over 2 hops",
    "hops_3": "features propagated over 3 hops",
    "projected_2": "random projection to 128, propagated over 2 hops",
    "labels": "label propagation",
    "non_contrastive": "recipe with Barlow Twins (rate 0.01) instead of InfoNCE",
}


def recipe_of(network: Network) -> Recipe:
    """The default recipe for a network."""
    return jdgnn.recipe(network.num_features)


def asynchronous(emulator: Emulator) -> Emulator:
    """An emulator in which nodes sleep and messages are lost and late."""
    way = jdgnn.link(drop=0.3, delay=links.uniform(0, 10))
    assert emulator.push is not None
    return dataclasses.replace(
        emulator,
        publish=jdgnn.publish(link=way),
        push=jdgnn.push(fanout=emulator.push.fanout, capacity=emulator.push.capacity, link=way),
        gossip=jdgnn.gossip(link=way, pool=4),
        availability=jdgnn.availability(jdgnn.clocks.bernoulli(0.5)),
    )


def with_barlow_twins(emulator: Emulator) -> Emulator:
    """Barlow Twins, whose gradients are two orders of magnitude larger."""
    return dataclasses.replace(
        emulator, objective=jdgnn.masked_input(jdgnn.barlow_twins(), rate=0.5), optimizer=momentum(rate=0.01)
    )


def momentum(rate: float = 1.0, *, merged: bool = True) -> jdgnn.Optimizer:
    """The optimiser of the recipe."""
    return jdgnn.momentum(rate, rate_schedule=optimizers.until(STEPS), merged=merged)


def learned(change: Change = lambda emulator: emulator, ticks: int | None = None, own: int | None = None) -> Embed:
    """What nodes hold after some ticks; those of the recipe if None."""

    def embed(network: Network, seed: int) -> Embedded:
        recipe = recipe_of(network)
        emulator, count = change(recipe.emulator), recipe.ticks if ticks is None else ticks
        state = emulator.init(jax.random.key(seed), network)
        state, _ = jdgnn.run(emulator, state, network, count, record_every=count)
        return beside(emulator.embeddings(state), network, own)

    return embed


def shared(train: Callable[..., Any]) -> Embed:
    """What one model for all gives after as many ticks."""

    def embed(network: Network, seed: int) -> Embedded:
        recipe = recipe_of(network)
        return beside(train(recipe.emulator, network, recipe.ticks, jax.random.key(seed)), network)

    return embed


def untrained(network: Network, seed: int) -> Embedded:
    """The embeddings of initial parameters."""
    return beside(_encoded(recipe_of(network).emulator, network, seed), network)


def untrained_sage(network: Network, seed: int) -> Embedded:
    """The same with SAGE layers, which have a path for own features in themselves."""
    emulator = recipe_of(network).emulator
    layers = [jdgnn.sage(number) for number in emulator.units(network.num_features)]
    return Embedded(_encoded(dataclasses.replace(emulator, layers=layers), network, seed))


def _encoded(emulator: Emulator, network: Network, seed: int) -> np.ndarray:
    return emulator.encode(emulator.init(jax.random.key(seed), network).params, network)


def beside(embeddings: np.ndarray, network: Network, own: int | None = None) -> Embedded:
    """With the node's own features beside, in as many columns as the recipe says if None."""
    return Embedded(embeddings, recipe_of(network).own_features if own is None else own)


def hops(number: int, width: int | None = None) -> Embed:
    """Features, or a random projection of them, propagated."""

    def embed(network: Network, seed: int) -> Embedded:
        features = network.features if width is None else jdgnn.network.random_projection(network.features, width, seed)
        return Embedded(evaluation.propagate(features, network, number))

    return embed


EMBEDS: dict[str, Embed] = {
    "decentralised": learned(),
    "asynchronous": learned(asynchronous, LATE_TICKS),
    "centralised": shared(evaluation.centralised),
    "end_to_end": shared(evaluation.end_to_end),
    "untrained": untrained,
    "untrained_sage": untrained_sage,
    "raw": hops(0),
    "hops_1": hops(1),
    "hops_2": hops(2),
    "hops_3": hops(3),
    "projected_2": hops(2, 128),
    "non_contrastive": learned(with_barlow_twins),
}
