"""Numbers that are not finite end a run, with where they are."""

import os
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jdgnn
from jdgnn import InputError, Progress, State
from jdgnn.experiment.run.divergence import check_finite
from tests.support import small_emulator

NETWORK = jdgnn.generators.ring(30, num_features=4)


@pytest.fixture(scope="module")
def state() -> State:
    return small_emulator().init(jax.random.key(0), NETWORK)


def progress(state: State, tick_diverged: int | None = None) -> Progress:
    return Progress(
        tick=9, start_tick=0, end_tick=20, rows=[], ticks_per_second=1.0, state=state, tick_diverged=tick_diverged
    )


def test_finite_numbers_are_no_reason_to_end(state: State) -> None:
    check_finite(progress(state), Path("run"), NETWORK)


def test_the_layer_the_tick_and_the_nodes_are_named(state: State) -> None:
    first, second = state.embeddings
    lost = replace(state, embeddings=(first, second.at[jnp.array([3, 17])].set(jnp.nan)))
    with pytest.raises(
        InputError, match=r"by tick 9.*layer 1 has embeddings that are not at 2 nodes \(3, 17\)\. Usually"
    ):
        check_finite(progress(lost), Path("run"), NETWORK)


def test_of_many_nodes_the_first_few_are_named(state: State) -> None:
    first = jax.tree.map(lambda leaf: leaf.at[10:].set(jnp.inf), state.params[0])
    lost = replace(state, params=(first, *state.params[1:]))
    expected = r"by tick 8.*layer 0 has parameters that are not at 20 nodes \(10, 11, 12, 13, 14, \.\.\.\)"
    with pytest.raises(InputError, match=expected):
        check_finite(progress(lost, tick_diverged=8), Path("run"), NETWORK)


def test_losses_alone_may_be_lost(state: State) -> None:
    lost = replace(progress(state, tick_diverged=8), rows=[{"tick": 8, "loss": [1.0, None]}])
    with pytest.raises(InputError, match=r"losses of layer 1 are not, while parameters and embeddings are \(jdgnn"):
        check_finite(lost, Path("run"), NETWORK)


def test_finite_numbers_whose_squares_are_not_are_named(state: State) -> None:
    first = jax.tree.map(lambda leaf: leaf.at[2:4].set(1e30), state.params[0])
    lost = progress(replace(state, params=(first, *state.params[1:])), tick_diverged=8)
    with pytest.raises(InputError, match=r"layer 0 has parameters whose squares are not at 2 nodes \(2, 3\)\. Usually"):
        check_finite(lost, Path("run"), NETWORK)


def test_features_that_cannot_be_squared_are_named(state: State) -> None:
    features = NETWORK.features.copy()
    features[7, 2] = 2e25
    network = replace(NETWORK, features=features, feature_names=("a", "b", "uptime", "d"))
    expected = r"Of the features, column 'uptime' reaches 2e\+25 \(at node 7\), and squares .*: scale them"
    with pytest.raises(InputError, match=expected):
        check_finite(progress(state, tick_diverged=8), Path("run"), network)
    wide = replace(NETWORK, features=features.astype(np.float64) * 1e20)
    with pytest.raises(InputError, match=r"features: column 2 reaches 2e\+45 \(at node 7\), and float32 ends"):
        small_emulator().init(jax.random.key(0), wide)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning", "ignore:This process:DeprecationWarning")
def test_a_forked_process_does_not_wait_for_ever(state: State) -> None:
    if (child := os.fork()) == 0:
        try:
            small_emulator().init(state.key, NETWORK)
        except InputError as error:
            os._exit(7 if "was forked from one in which JAX had computed" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_state_is_looked_at_thoroughly_before_it_is_saved(state: State) -> None:
    second = jax.tree.map(lambda leaf: leaf.at[4].set(jnp.nan), state.params[1])
    lost = progress(replace(state, params=(state.params[0], second)))
    check_finite(lost, Path("run"), NETWORK)
    with pytest.raises(InputError, match=r"layer 1 has parameters that are not at 1 nodes \(4\)"):
        check_finite(lost, Path("run"), NETWORK, thoroughly=True)


def test_what_is_kept_beside_parameters_is_looked_at_as_well(state: State) -> None:
    lost = replace(state, opt_state=jax.tree.map(_spoilt, state.opt_state))
    check_finite(progress(lost), Path("run"), NETWORK)
    with pytest.raises(InputError, match=r"opt_state\.\S+ has some that are not"):
        check_finite(progress(lost), Path("run"), NETWORK, thoroughly=True)


def _spoilt(leaf: jax.Array) -> jax.Array:
    return leaf.at[0].set(jnp.nan) if jnp.issubdtype(leaf.dtype, jnp.inexact) else leaf
