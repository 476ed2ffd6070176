"""A run without compilation, one node after another, that stops at the first number that is not finite."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jdgnn.checks import check_count
from jdgnn.emulation.debug.from_state import nodes_of
from jdgnn.emulation.debug.node import Node, Surroundings
from jdgnn.emulation.debug.sending import dispatch, send
from jdgnn.emulation.debug.to_state import state_of
from jdgnn.emulation.debug.waking import Wake, wake
from jdgnn.emulation.run import arrays_of
from jdgnn.emulation.sources import Draw, Replay, Source
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State
from jdgnn.emulation.tick import attended
from jdgnn.emulation.wake import awake_capacity
from jdgnn.errors import InputError
from jdgnn.keys import on_host


def debug_run(
    emulator: Spec,
    state: State,
    network: Any,
    ticks: int,
    *,
    on_tick: Callable[[list[Node], int], None] | None = None,
    replay: str | Path | None = None,
) -> tuple[State, list[Wake]]:
    """Runs a number of ticks as `run` does, slowly: node by node in plain Python, so that one can look everywhere.

    A run that diverged is gone through again from a state before that: the same events are drawn, and the same numbers
    come out up to rounding, until one is not finite. Then `NonFiniteError` says in which tick, at which node, in which
    layer and at what, and which message it may have come from. Breakpoints and prints work at every step of a node, in
    the modules of `jdgnn.emulation.debug`; in `pdb` after the error, too. It takes some hundredths of a second per
    node, layer and tick.

    Args:
      emulator: the parts.
      state: all nodes, from `emulator.init` or a run; it is not consumed.
      network: the network the state was made for.
      ticks: how many ticks to run.
      on_tick: called after each tick with all nodes and the number of the tick; see `Node` for what they hold. What it
        changes is gone on with.
      replay: a file to take the events from, as in `run`.

    Returns:
      The state after the last tick, with which `run` can go on, and what each node did whenever it woke.

    Raises:
      NonFiniteError: a number was received or computed that is not finite.
      InputError: an argument makes no sense, as in `run`, or parameters are kept in bfloat16.

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
        raise InputError(f"on_tick: got {on_tick!r}, and a function of all nodes and a tick, or None, is needed")
    emulator, links, features = arrays_of(emulator, state, network)
    if emulator.param_dtype is not None:
        raise InputError(
            f"emulator.param_dtype: got {emulator.param_dtype}, and the debug back end keeps parameters as computed; "
            "debug with None, from a state made so"
        )
    source: Source = Draw(emulator, links, state) if replay is None else Replay(replay, emulator, links, state, ticks)
    nodes, wakes, num_crowded = nodes_of(state, links, features), [], 0
    clock, start = state, int(state.tick)
    in_degree = np.asarray(links.in_degree).tolist()
    for tick in range(start, start + ticks):
        clock, events = source.next(replace(clock, tick=jnp.int32(tick)), 1)
        joined, online = (None if mask is None else mask[0] for mask in (events.joined, events.online))
        clock = replace(clock, joined=joined, attendance=attended(clock.attendance, joined, online))
        drawn = on_host(jax.tree.map(lambda leaf: leaf[0], events))
        around = Surroundings(emulator, links, in_degree, np.asarray(features), tick, drawn)
        active = run_tick(around, nodes)
        wakes += active
        num_crowded += is_crowded(around, len(active))
        if on_tick is not None:
            on_tick(nodes, tick)
    return state_of(nodes, clock, start + ticks, num_crowded), wakes


def run_tick(around: Surroundings, nodes: list[Node]) -> list[Wake]:
    """One tick of all nodes: everybody receives, who is active merges and trains, and then sends."""
    for node in nodes:
        node.receive(around)
    active = [node for node in nodes if is_active(around, node)]
    wakes = [wake(around, node) for node in active]
    sent = [send(around, node, len(done.merged)) for node, done in zip(active, wakes, strict=True)]
    dispatch(around, nodes, [message for messages in sent for message in messages])
    return wakes


def is_active(around: Surroundings, node: Node) -> bool:
    """Whether a node is online, and drawn to wake or woken by a model that reached it in this tick."""
    online, drawn = around.events.online, around.events.wake
    if online is not None and not online[node.number]:
        return False
    on_receipt = around.emulator.traffic.availability.on_receipt
    is_woken = on_receipt and any(model.tick_due == around.tick for model in node.inbox)
    return drawn is None or bool(drawn[node.number]) or is_woken


def is_crowded(around: Surroundings, num_active: int) -> bool:
    """Whether a compiled run would have had too little compact room for the nodes awake in this tick."""
    capacity = awake_capacity(around.emulator, around.topology.num_nodes)
    if capacity is None or (around.events.online is None and around.events.wake is None):
        return False
    return num_active > capacity
