"""Numbers that are not finite end a run, with where they are."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

import jdgnn
from jdgnn import InputError, Progress, State
from jdgnn.experiment.soundness import check_finite
from tests.support import small_emulator


@pytest.fixture(scope="module")
def state() -> State:
    return small_emulator().init(jax.random.key(0), jdgnn.generators.ring(30, num_features=4))


def progress(state: State, tick_diverged: int | None = None) -> Progress:
    return Progress(
        tick=9, start_tick=0, end_tick=20, rows=[], ticks_per_second=1.0, state=state, tick_diverged=tick_diverged
    )


def test_finite_numbers_are_no_reason_to_end(state: State) -> None:
    check_finite(progress(state), Path("run"))


def test_the_layer_the_tick_and_the_nodes_are_named(state: State) -> None:
    first, second = state.embeddings
    lost = replace(state, embeddings=(first, second.at[jnp.array([3, 17])].set(jnp.nan)))
    with pytest.raises(
        InputError, match=r"by tick 9.*layer 1 has embeddings that are not at 2 nodes \(3, 17\)\. Usually"
    ):
        check_finite(progress(lost), Path("run"))


def test_of_many_nodes_the_first_few_are_named(state: State) -> None:
    first = jax.tree.map(lambda leaf: leaf.at[10:].set(jnp.inf), state.params[0])
    lost = replace(state, params=(first, *state.params[1:]))
    expected = r"by tick 8.*layer 0 has parameters that are not at 20 nodes \(10, 11, 12, 13, 14, \.\.\.\)"
    with pytest.raises(InputError, match=expected):
        check_finite(progress(lost, tick_diverged=8), Path("run"))


def test_losses_alone_may_be_lost(state: State) -> None:
    with pytest.raises(InputError, match="losses are not, while parameters and embeddings are"):
        check_finite(progress(state, tick_diverged=8), Path("run"))


def test_a_state_is_looked_at_thoroughly_before_it_is_saved(state: State) -> None:
    second = jax.tree.map(lambda leaf: leaf.at[4].set(jnp.nan), state.params[1])
    lost = progress(replace(state, params=(state.params[0], second)))
    check_finite(lost, Path("run"))
    with pytest.raises(InputError, match=r"layer 1 has parameters that are not at 1 nodes \(4\)"):
        check_finite(lost, Path("run"), thoroughly=True)


def test_what_is_kept_beside_parameters_is_looked_at_as_well(state: State) -> None:
    lost = replace(state, opt_state=jax.tree.map(_spoilt, state.opt_state))
    check_finite(progress(lost), Path("run"))
    with pytest.raises(InputError, match=r"opt_state\.\S+ has some that are not"):
        check_finite(progress(lost), Path("run"), thoroughly=True)


def _spoilt(leaf: jax.Array) -> jax.Array:
    return leaf.at[0].set(jnp.nan) if jnp.issubdtype(leaf.dtype, jnp.inexact) else leaf
