"""Small networks, emulators and comparisons that many tests share."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

import jdgnn
from jdgnn.emulation import chunks
from jdgnn.keys import is_key
from jdgnn.network.network import Network, from_edges
from jdgnn.network.topology import Topology
from jdgnn.protocol import rings
from jdgnn.protocol.accounts import OUTCOMES
from jdgnn.protocol.transport import ModelFlight, ModelPool

ROOT = Path(__file__).parents[1]


def small_network(num_nodes: int = 12, num_features: int = 5, seed: int = 0) -> Network:
    """A random directed network with an isolated node (the last) and a hub (the first)."""
    generator = np.random.default_rng(seed)
    senders = np.concatenate([generator.integers(0, num_nodes - 1, 3 * num_nodes), np.arange(1, num_nodes - 1)])
    receivers = np.concatenate([generator.integers(0, num_nodes - 1, 3 * num_nodes), np.zeros(num_nodes - 2, int)])
    return from_edges(senders, receivers, generator.normal(size=(num_nodes, num_features)).astype(np.float32))


def small_emulator(**changes: Any) -> jdgnn.Emulator:
    """Two small layers with everything switched on."""
    settings: dict[str, Any] = {
        "layers": [jdgnn.gcn(4), jdgnn.sage(3)],
        "objective": jdgnn.info_nce(),
        "optimizer": jdgnn.adam(1e-2),
        "push": jdgnn.push(fanout=2, capacity=3),
        "gossip": jdgnn.gossip(capacity=2),
        "num_positives": 3,
    }
    return jdgnn.Emulator(**(settings | changes))


def all_joined(links: Topology) -> jax.Array:
    """Everybody is there."""
    return jnp.ones(links.num_nodes, bool)


def leaves(tree: Any) -> list[np.ndarray]:
    """The arrays of a tree, PRNG keys as their bits."""
    return jax.tree.leaves(_without_keys(tree))


def _without_keys(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(jax.random.key_data(leaf) if is_key(leaf) else leaf), tree)


def assert_same_bits(first: Any, second: Any) -> None:
    """Asserts that two trees of arrays are equal, bit for bit."""
    chex.assert_trees_all_equal(_without_keys(first), _without_keys(second), strict=True)


def num_in_flight(state: jdgnn.State, network: Network) -> dict[str, int]:
    """Messages that are on their way or wait in an inbox, by kind, counted where they are."""
    if state.mailbox is None:
        on_edges = np.asarray(state.embedded_at)[network.senders] == int(state.tick) - 1
    else:
        on_edges = np.asarray(rings.num_in_flight(state.mailbox.delays, state.tick))
    models: Any = 0
    if isinstance(state.models, ModelFlight):
        models = state.models.is_sent.sum()
    elif isinstance(state.models, ModelPool):
        on_their_way, waiting, kept = _places(state.models)
        models = on_their_way + waiting
        assert models + kept == (~np.asarray(state.models.is_free)).sum()
    on_push = 0 if state.pushes is None else rings.num_in_flight(state.pushes.delay, state.tick).sum()
    return {"embedding": int(on_edges.sum()), "push": int(on_push), "model": int(models)}


def _places(pool: ModelPool) -> tuple[int, int, int]:
    """How many models are on their way, wait in inboxes, and are kept to be passed on."""
    is_going = ~np.asarray(pool.is_free) & (np.asarray(pool.dst) < pool.inbox.shape[0])
    num_kept = 0 if pool.kept is None else (np.asarray(pool.kept) < pool.num_places).sum()
    return int(is_going.sum()), int((np.asarray(pool.inbox) < pool.num_places).sum()), int(num_kept)


def assert_accounts_add_up(state: jdgnn.State, network: Network) -> None:
    """Asserts that every message came to one end, or is where messages are that have come to none."""
    for kind, count in num_in_flight(state, network).items():
        ended = sum(state.accounts.total(kind, outcome) for outcome in OUTCOMES if outcome != "sent")
        assert state.accounts.total(kind, "sent") == ended + count


def num_programs() -> int:
    """How many programs the engine has compiled so far."""
    programs: tuple[Any, ...] = (chunks.draw, chunks.advance)
    return sum(int(program._cache_size()) for program in programs)


def run_optimised(*arguments: str, folder: Path = ROOT) -> str:
    """What Python prints when run in a folder with these arguments, compiling with all optimisations, as users do."""
    return printed(
        *arguments,
        folder=folder,
        environment={name: value for name, value in os.environ.items() if name != "XLA_FLAGS"},
    )


def printed(*arguments: str, folder: Path = ROOT, environment: dict[str, str] | None = None) -> str:
    """What Python prints when run in a folder with these arguments, compiling as the tests do."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
