"""A state goes on with its own network alone, and what a run has consumed is told in one sentence everywhere."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jdgnn
from jdgnn.evaluation import communication, linear_probe
from jdgnn.network import from_edges, to_networkx
from tests.seldom import mostly_long
from tests.support import assert_same_bits, num_programs, small_emulator, small_network

FEATURES = np.eye(4)
FIRST = from_edges([0, 2, 3], [1, 3, 2], FEATURES)  # node 1 hears 0,
SECOND = from_edges([2, 2, 3], [1, 3, 2], FEATURES)  # and here 2, over as many edges
EMULATOR = small_emulator(publish=jdgnn.publish(link=jdgnn.link(drop=0.2)))


def begun(network: Any = FIRST, ticks: int = 2) -> jdgnn.State:
    state, _ = jdgnn.run(EMULATOR, EMULATOR.init(jax.random.key(0), network), network, ticks)
    return state


@pytest.fixture(scope="module")
def state() -> jdgnn.State:
    return begun()


NAMED = replace(FIRST, node_names=("a", "b", "c", "d"))
USES: dict[str, Callable[[jdgnn.State, Any, Path], Any]] = {
    "run": lambda state, network, folder: jdgnn.run(EMULATOR, jdgnn.copy(state), network, 1),
    "refresh": lambda state, network, folder: jdgnn.refresh(EMULATOR, jdgnn.copy(state), network, 1),
    "debug_run": lambda state, network, folder: jdgnn.debug_run(EMULATOR, state, network, 1),
    "node_table": lambda state, network, folder: jdgnn.node_table(state, network),
    "encode": lambda state, network, folder: EMULATOR.encode(state, network),
    "save": lambda state, network, folder: jdgnn.save(folder / "1", EMULATOR, state, network),
    "communication": lambda state, network, folder: communication(EMULATOR, network, 2, state=state),
}


@pytest.mark.parametrize("use", mostly_long(USES, [use for use in USES if use != "debug_run"]))
def test_another_network_is_refused_and_what_differs_is_told(use: str, state: jdgnn.State, tmp_path: Path) -> None:
    for other, told in (
        (SECOND, "another one: other links; give"),
        (jdgnn.generators.ring(4, 4), "another one: 8 directed edges instead of 3; give"),
        (jdgnn.generators.ring(5, 3), "5 nodes instead of 4, 10 directed .* 3 features of a node instead of 4"),
        (to_networkx(SECOND), "other links"),
    ):
        with pytest.raises(jdgnn.InputError, match=f"network: expected the one that the state was made for, .*{told}"):
            USES[use](state, other, tmp_path)
    USES[use](state, to_networkx(FIRST), tmp_path)


def test_restoring_on_another_network_is_refused(state: jdgnn.State, tmp_path: Path) -> None:
    jdgnn.save(tmp_path / "2", EMULATOR, state, FIRST)
    with pytest.raises(jdgnn.InputError, match=r"network: expected the one that .* was saved on, .* other links"):
        jdgnn.restore(tmp_path / "2", EMULATOR, SECOND)
    again = jdgnn.restore(tmp_path / "2", EMULATOR, to_networkx(FIRST))
    assert jdgnn.digest(again) == jdgnn.digest(state)


def test_nodes_of_other_names_are_refused_and_no_names_are_not() -> None:
    network = NAMED
    state = begun(network)
    other = replace(network, node_names=("a", "b", "d", "c"))
    with pytest.raises(jdgnn.InputError, match="got another one: nodes of other names"):
        jdgnn.run(EMULATOR, jdgnn.copy(state), other, 1)
    unnamed, _ = jdgnn.run(EMULATOR, jdgnn.copy(state), FIRST, 1)
    named, _ = jdgnn.run(EMULATOR, state, network, 1)
    assert_same_bits(unnamed, named)


def test_a_record_of_nodes_of_other_names_is_not_replayed(tmp_path: Path) -> None:
    network, other = NAMED, replace(NAMED, node_names=("a", "b", "d", "c"))
    jdgnn.run(EMULATOR, EMULATOR.init(jax.random.key(0), network), network, 2, record=tmp_path / "events")
    jdgnn.run(EMULATOR, EMULATOR.init(jax.random.key(0), FIRST), FIRST, 2, replay=tmp_path / "events")
    with pytest.raises(jdgnn.InputError, match=r"replay: expected the network .* nodes of other names"):
        jdgnn.run(EMULATOR, EMULATOR.init(jax.random.key(0), other), other, 2, replay=tmp_path / "events")


def test_another_network_of_the_same_shapes_is_no_other_program() -> None:
    begun()
    programs = num_programs()
    second = begun(SECOND)
    assert num_programs() == programs
    assert jdgnn.digest(second) != jdgnn.digest(replace(second, network=jnp.asarray(FIRST.identity)))


def test_parameters_tell_by_their_shapes_whose_they_are(state: jdgnn.State) -> None:
    for network, told in (
        (jdgnn.generators.ring(5, 4), "of 5 nodes with 4 features, got those of 4 nodes"),
        (jdgnn.generators.ring(4, 3), r"with 3 features, got \[4, 4, 4\] for params\[0\]\['layer'\]"),
    ):
        with pytest.raises(jdgnn.InputError, match=f"params: expected the parameters .*{told}"):
            EMULATOR.encode(state.params, network)
    assert np.array_equal(EMULATOR.encode(state.params, FIRST), EMULATOR.encode(state, FIRST))


def test_what_was_consumed_is_told_everywhere(tmp_path: Path) -> None:
    network = replace(small_network(4, 4), labels=np.array([0, 1, 0, 1], np.int32))
    state = EMULATOR.init(jax.random.key(0), network)
    jdgnn.run(EMULATOR, state, network, 1)
    lost: Any = state.embeddings[0]
    for name, use in USES.items():
        argument = "params" if name == "encode" else "state"
        with pytest.raises(jdgnn.InputError, match=f"{argument}: an earlier run has consumed it; continue with"):
            use(state, network, tmp_path)
    for argument, again in (
        ("params", lambda: EMULATOR.encode(state.params, network)),
        ("params", lambda: jdgnn.consensus_distance(state.params)),
        ("state", lambda: EMULATOR.embeddings(state)),
        ("state", lambda: jdgnn.copy(state)),
        ("state", lambda: jdgnn.digest(state)),
        ("key", lambda: EMULATOR.init(state.key, network)),
        ("embeddings", lambda: linear_probe(lost, network)),
        ("embeddings", lambda: jdgnn.write_embeddings(tmp_path / "a.csv", lost, network)),
        ("features", lambda: from_edges([0], [1], lost)),
        ("color", lambda: jdgnn.plot.embedding_map(np.ones((4, 2)), color=state.age)),
        ("given", lambda: jdgnn.plot.staleness(lost)),
    ):
        with pytest.raises(jdgnn.InputError, match=f"{argument}: an earlier run has consumed it; continue with"):
            again()
    assert not any(tmp_path.iterdir())
