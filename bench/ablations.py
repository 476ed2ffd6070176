"""The default recipe with one part changed, and nothing else: what each part is worth."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

import jdgnn
from bench.ways import STEPS, Change, Embed, Embedded, beside, learned, momentum, recipe_of
from jdgnn import Emulator, Network, optimizers

DENSE = 3
"""Models sent, and merged, in a tick of dense communication."""
EARLY = 60
"""Wakes that a dense start takes."""
RARE, LATE = 4, 180
"""Where communication comes late, models are sent at every fourth wake until the 180th."""


def dense(wakes: jax.Array) -> jax.Array:
    """Three models in every tick."""
    return jnp.full_like(wakes, DENSE)


def dense_start(wakes: jax.Array) -> jax.Array:
    """Three models at first, then one."""
    return jnp.where(wakes < EARLY, DENSE, 1)


def dense_end(wakes: jax.Array) -> jax.Array:
    """Few models at first, then three, and about as many in all as with one in every tick."""
    return jnp.where(wakes < LATE, jnp.where(wakes % RARE == 0, 1, 0), DENSE)


def with_models(number: Callable[[jax.Array], jax.Array]) -> Change:
    """As many models sent as a function of a node's wakes says; all that arrive in a tick find room to be merged."""

    def decide(memory: tuple[()], wakes: jax.Array, num_merged: Any, uniforms: Any, num_candidates: int) -> jax.Array:
        del memory, num_merged, uniforms
        return jnp.minimum(number(wakes), num_candidates)

    schedule = dataclasses.replace(jdgnn.schedules.every(), decide=Partial(decide))
    return lambda emulator: dataclasses.replace(
        emulator, gossip=jdgnn.gossip(fanout=DENSE, capacity=DENSE, schedule=schedule)
    )


def rarely(emulator: Emulator) -> Emulator:
    """Four steps for every merge."""
    return dataclasses.replace(emulator, gossip=jdgnn.gossip(schedule=jdgnn.schedules.every(RARE)))


def by_permutation(emulator: Emulator) -> Emulator:
    """Every node is sent one model, where some are sent several and others none if receivers are drawn freely."""
    return dataclasses.replace(emulator, gossip=jdgnn.gossip(peers=jdgnn.peers.permutation()))


def with_own_moments(emulator: Emulator) -> Emulator:
    """Moments are not merged."""
    return dataclasses.replace(emulator, optimizer=momentum(merged=False))


def unmasked(emulator: Emulator) -> Emulator:
    """Layers see all of their input."""
    return dataclasses.replace(emulator, objective=jdgnn.info_nce(temperature=0.3))


def with_adam(emulator: Emulator) -> Emulator:
    """Adam, with moments of its own."""
    return dataclasses.replace(emulator, optimizer=jdgnn.adam(1e-2))


def with_cosine(emulator: Emulator) -> Emulator:
    """A rate that falls slowly, in place of one that is kept and then zero."""
    optimizer = jdgnn.momentum(1.0, rate_schedule=optimizers.cosine(STEPS), merged=True)
    return dataclasses.replace(emulator, optimizer=optimizer)


def with_layers(*units: int, activation: str = "leaky_relu") -> Change:
    """Other layers."""
    layers = [jdgnn.gcn(number, activation=activation) for number in units]
    return lambda emulator: dataclasses.replace(emulator, layers=layers)


def layer_by_layer(network: Network, seed: int) -> Embedded:
    """Two layers, the second of which learns when the first has done; each takes as many steps as in the recipe."""
    recipe = recipe_of(network)
    emulator = with_layers(64, 64)(recipe.emulator)
    assert isinstance(emulator.objective, tuple)
    objective = emulator.objective[0]
    resting = objective._replace(is_defined=_never)
    state = emulator.init(jax.random.key(seed), network)
    for objectives in ((objective, resting), (resting, objective)):
        phase = dataclasses.replace(emulator, objective=objectives)
        state, _ = jdgnn.run(phase, state, network, recipe.ticks, record_every=recipe.ticks)
    return beside(emulator.embeddings(state), network)


def _never(pos_mask: jax.Array, neg_mask: jax.Array) -> jax.Array:
    del pos_mask, neg_mask
    return jnp.zeros((), bool)


def averaged_once(network: Network, seed: int) -> Embedded:
    """The mean of all models after the last step, in place of merging on: one exchange of all with all."""
    emulator = recipe_of(network).emulator
    state = emulator.init(jax.random.key(seed), network)
    state, _ = jdgnn.run(emulator, state, network, STEPS, record_every=STEPS)
    mean = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf.mean(0), leaf.shape), state.params)
    return beside(emulator.encode(mean, network), network)


ABLATIONS: dict[str, tuple[str, Embed]] = {
    "not_agreed": ("no merging at the end", learned(ticks=STEPS)),
    "averaged_once": ("one mean of all models at the end", averaged_once),
    "own_moments": ("momentum that is not merged", learned(with_own_moments)),
    "cosine": ("a cosine rate schedule", learned(with_cosine)),
    "adam": ("Adam for 80 ticks, no merging at the end", learned(with_adam, 80)),
    "rarely": ("one model sent at every fourth wake", learned(rarely)),
    "dense": ("three models sent at every wake", learned(with_models(dense))),
    "dense_start": ("three models sent at each of the first 60 wakes", learned(with_models(dense_start))),
    "dense_end": ("one model sent at every fourth wake, three from the 180th", learned(with_models(dense_end))),
    "by_permutation": ("every node receives one model", learned(by_permutation)),
    "unmasked": ("no hidden input", learned(unmasked)),
    "linear": ("a linear layer", learned(with_layers(128, activation="identity"))),
    "two_layers": ("two layers of 64", learned(with_layers(64, 64))),
    "layer_by_layer": ("two layers of 64, trained one after the other", layer_by_layer),
    "alone": ("no own features", learned(own=0)),
    "own_beside": ("40 columns of own features, 88 learned", learned(with_layers(88), own=40)),
}
"""For layers where there is one of 128 units in the recipe."""
