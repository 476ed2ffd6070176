"""Runs tick by tick, in float64, with everything in sight."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jdgnn
from jdgnn.emulation.start import message_bytes, sample_events
from jdgnn.emulation.state import State, TickInfo
from jdgnn.emulation.tick import apply_events
from jdgnn.emulation.ways import backend_of
from jdgnn.network.topology import topology
from jdgnn.protocol.events import Events

draw = jax.jit(sample_events, static_argnums=2)
apply = jax.jit(apply_events)


@dataclass(frozen=True)
class Step:
    """One tick."""

    before: State
    events: Events
    after: State
    info: TickInfo


def in_double(network: jdgnn.Network) -> jdgnn.Network:
    """The same network with features in float64."""
    return replace(network, features=network.features.astype(np.float64))


def steps(
    emulator: jdgnn.Emulator,
    network: jdgnn.Network,
    num_ticks: int,
    seed: int = 0,
    apply: Callable[..., Any] = apply,
) -> Iterator[Step]:
    """The first ticks of a run, as `apply` makes them; to be taken where 64-bit numbers are on."""
    network = in_double(network)
    emulator = emulator.bound(network)
    links, features = topology(network, backend_of(emulator)), jnp.asarray(network.features)
    state = emulator.init(jax.random.key(seed), network)
    for _ in range(num_ticks):
        memory, events = draw(emulator, links, message_bytes(state), state.key, state.tick, state.availability)
        before = replace(state, availability=memory)
        state, info = apply(emulator, links, features, before, events)
        yield Step(before, events, state, info)
