"""A run by the reference, from any state, that stops at the first non-finite number."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.checks import check_count
from jdgnn.emulation.arrays import arrays_of
from jdgnn.emulation.sources import Draw, Replay, Source
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State
from jdgnn.errors import InputError
from jdgnn.keys import on_host
from jdgnn.protocol.events import Events
from jdgnn.reference.finite import stop_at_nonfinite
from jdgnn.reference.from_state import take_over
from jdgnn.reference.node import Node, Wake
from jdgnn.reference.one_layer import PLAIN
from jdgnn.reference.oracle import Oracle
from jdgnn.reference.to_state import state_of


def debug_run(
    emulator: Spec,
    state: State,
    network: Any,
    ticks: int,
    *,
    on_tick: Callable[[list[Node], int], None] | None = None,
    replay: str | Path | None = None,
) -> tuple[State, list[Wake]]:
    """Runs a number of ticks like `run`, slowly: node by node in plain Python, where everything can be inspected.

    To debug a run that diverged, repeat it from an earlier state: the same events are drawn, and the same numbers come
    out up to rounding, until one is not finite. Then `NonFiniteError` reports the tick, the node, the layer, the stage
    of the computation, and the message that the number may have come from. Breakpoints and prints work at every step of
    a node, in the modules of `jdgnn.reference`, as does post-mortem `pdb`. It takes some hundredths of a second per
    node, layer and tick.

    Args:
      emulator: the parts.
      state: all nodes, from `emulator.init` or a run; it is not consumed.
      network: the network the state was made for.
      ticks: number of ticks to run.
      on_tick: called after each tick with all nodes and the number of the tick; see `Node` for their fields. Its
        changes take effect.
      replay: a file to take the events from, as in `run`.

    Returns:
      The state after the last tick, from which `run` can continue, and a record of every wake.

    Raises:
      NonFiniteError: a non-finite number was received or computed.
      InputError: an argument is invalid, as in `run`, or parameters are stored in bfloat16.

    Example:
      >>> import jax, jdgnn
      >>> network = jdgnn.network.generators.ring(4)
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(2)], objective=jdgnn.info_nce(),
      ...     optimizer=jdgnn.sgd(1e-2), push=jdgnn.push(fanout=2), gossip=jdgnn.gossip())
      >>> state = emulator.init(jax.random.key(0), network)
      >>> state, wakes = debug_run(emulator, state, network, ticks=2)
      >>> [(wake.tick, wake.node, wake.age) for wake in wakes if wake.node == 3]
      [(0, 3, 0), (1, 3, 1)]
    """
    check_count("ticks", ticks)
    if on_tick is not None and not callable(on_tick):
        raise InputError(f"on_tick: expected a function of all nodes and a tick, or None, got {on_tick!r}")
    emulator, links, features = arrays_of(emulator, state, network)
    if emulator.param_dtype is not None:
        raise InputError(
            f"emulator.param_dtype: expected None, since debug_run keeps parameters as computed, "
            f"got {emulator.param_dtype}; debug with None, from a state made so"
        )
    source: Source = Draw(emulator, links, state) if replay is None else Replay(replay, emulator, links, state, ticks)
    parts = emulator, links, features, state.params, state.opt_state
    oracle = Oracle(*parts, arithmetic=PLAIN, check=stop_at_nonfinite)
    take_over(oracle, state)
    wakes: list[Wake] = []
    attended, num_crowded = np.zeros(2, np.int64), 0
    for tick in range(oracle.now, oracle.now + ticks):
        state, chunk = source.next(replace(state, tick=jnp.int32(tick)), 1)
        events = on_host(jax.tree.map(lambda leaf: leaf[0], chunk))
        state = replace(state, joined=None if chunk.joined is None else chunk.joined[0])
        woken = oracle.tick(events)
        wakes += woken
        if events.joined is not None and events.online is not None:
            attended += [events.joined.sum(), events.online.sum()]
        num_crowded += is_crowded(emulator, events, len(woken), links.num_nodes)
        if on_tick is not None:
            on_tick(oracle.nodes, tick)
    return state_of(oracle, state, attended, num_crowded), wakes


def is_crowded(emulator: Spec, events: Events, num_active: int, num_nodes: int) -> bool:
    """Whether a compiled run would have had too few compact rows for the nodes active in this tick."""
    if emulator.active_fraction is None or (events.online is None and events.wake is None):
        return False
    return num_active > min(num_nodes, max(1, round(emulator.active_fraction * num_nodes)))
