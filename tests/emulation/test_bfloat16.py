"""Parameters kept in bfloat16: how they are rounded, and that a run is otherwise what it is in float32."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.typing import DTypeLike
from numpy.testing import assert_allclose, assert_array_equal

import jdgnn
from jdgnn import clocks
from jdgnn.backend import bfloat16
from jdgnn.emulation import fold, inbox
from jdgnn.emulation.start import message_bytes, tree_bytes
from jdgnn.protocol.model import Model
from tests.seldom import mostly_long
from tests.support import assert_same_bits, leaves, small_emulator, small_network

NETWORK = small_network()
NUM_SEEDS = 20_000
NUMBERS = np.array([1.0, -0.3, 3.14159265, 1e-30, -1e-3, 255.99, 0.0, -0.0], np.float32)


def half(dtype: DTypeLike | None = "bfloat16", **changes: Any) -> jdgnn.Emulator:
    settings = {"param_dtype": dtype, "gossip": jdgnn.gossip(capacity=1), "initial": "independent"}
    return small_emulator(**settings | changes)


def outcome(emulator: jdgnn.Emulator, ticks: int = 20, seed: int = 0) -> tuple[jdgnn.State, jdgnn.History]:
    return jdgnn.run(emulator, emulator.init(jax.random.key(seed), NETWORK), NETWORK, ticks, record_every=5)


def rounded(values: Any, num_seeds: int = NUM_SEEDS, **others: Any) -> np.ndarray:
    """The same numbers as rounded by many seeds [seeds, ...]."""
    seeds = jax.random.bits(jax.random.key(0), (num_seeds,), jnp.uint32)
    kept = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), values)
    return np.asarray(jax.vmap(lambda seed: bfloat16.rounded(values, kept, seed, **others))(seeds), np.float32)


def spacing(values: np.ndarray) -> np.ndarray:
    """From a number to the next in bfloat16."""
    below = (values.view(np.uint32) & 0xFFFF0000).view(np.float32)
    above = ((below.view(np.uint32) + 0x10000) & 0xFFFF0000).view(np.float32)
    return np.abs(above - below)


def test_rounding_goes_to_a_neighbour_and_is_right_on_average() -> None:
    found = rounded(jnp.asarray(NUMBERS))
    step = spacing(NUMBERS)
    assert (np.abs(found - NUMBERS) < np.where(NUMBERS == 0, 1, step)).all()
    assert (found.view(np.uint32) & 0xFFFF == 0).all()
    error = found.mean(axis=0, dtype=np.float64) - NUMBERS
    assert (
        np.abs(error) <= 4 * step / 2 / np.sqrt(NUM_SEEDS)
    ).all()  # no rounding deviates by more than half of a step


def test_each_number_of_a_node_is_rounded_by_itself() -> None:
    """Numbers, arrays and seeds beside one another are not correlated: four standard errors at most."""
    value = jnp.full((2, 50), 1 + 2**-8, jnp.float32)  # half way between two
    found = rounded(value, 2000) > 1.004
    coins = np.stack([found[:, 0].ravel(), found[:, 1].ravel()])
    assert abs(found.mean() - 0.5) < 4 * 0.5 / np.sqrt(found.size)
    for first, second in ((found[:, 0, 1:], found[:, 0, :-1]), (found[1:], found[:-1]), tuple(coins)):
        correlation = np.corrcoef(first.ravel(), second.ravel())[0, 1]
        assert abs(correlation) < 4 / np.sqrt(first.size)


def test_what_is_kept_stays_bit_for_bit() -> None:
    kept = jnp.asarray(np.arange(2**16, dtype=np.uint16))
    wide = bfloat16.widened(kept)
    again = bfloat16.rounded(wide, kept, jnp.uint32(7))
    is_number = ~np.isnan(np.asarray(wide))
    assert_array_equal(np.asarray(again)[is_number], np.arange(2**16)[is_number])
    assert np.isnan(bfloat16.widened(again)[~is_number]).all()
    bits = bfloat16.unpacked(kept)
    assert_array_equal(bfloat16.packed(bits), kept)
    assert_array_equal(np.asarray(bfloat16.widened(bits))[is_number], np.asarray(bits, np.float32)[is_number])


def test_what_is_not_finite_stays_so() -> None:
    worst = jnp.array([np.inf, -np.inf, np.nan], jnp.float32)
    worst = jnp.append(
        worst, jax.lax.bitcast_convert_type(jnp.uint32(0x7F800001), jnp.float32)
    )  # NaN by its lowest bit
    for row in rounded(worst, 50):
        assert_array_equal(row, [np.inf, -np.inf, np.nan, np.nan])


def test_parts_of_an_array_are_rounded_as_the_whole() -> None:
    values = jax.random.normal(jax.random.key(1), (8, 5))
    kept, seed = values.astype(jnp.bfloat16), jnp.uint32(3)
    whole = bfloat16.rounded((values, values), (kept, kept), seed)
    part = bfloat16.rounded(values[4:], kept[4:], seed, offset=20, first=1)
    assert_same_bits(part, whole[1][4:])
    assert (np.asarray(whole[0]) != np.asarray(whole[1])).any()


@pytest.mark.parametrize("optimizer", ["sgd", pytest.param("adam", marks=pytest.mark.long)])
def test_a_run_is_what_it_is_in_float32_up_to_rounding(optimizer: str) -> None:
    choices = {"sgd": jdgnn.sgd(0.05), "adam": jdgnn.adam(1e-2)}
    changes: dict[str, Any] = {"optimizer": choices[optimizer], "backend": "plain"}
    (state, history), (full, expected) = outcome(half(**changes), 8), outcome(half(None, **changes), 8)
    assert {leaf.dtype.name for leaf in jax.tree.leaves(state.params)} == {"bfloat16"}
    assert {leaf.dtype.name for leaf in jax.tree.leaves(state.opt_state)} == {
        leaf.dtype.name for leaf in jax.tree.leaves(full.opt_state)
    }
    for found, wanted in zip(leaves(bfloat16.widened(state.params)), leaves(full.params), strict=True):
        assert np.abs(found - wanted).mean() < 0.03
    assert_allclose(history.loss, expected.loss, rtol=0.05)
    assert_allclose(history.consensus_distance, expected.consensus_distance, rtol=0.1)
    assert_same_bits(state.accounts, full.accounts)


@pytest.mark.long
def test_steps_below_the_spacing_count_on_average() -> None:
    """A rate so small that rounding to nearest would stand still: the mean model goes where float32 takes it."""
    network = jdgnn.generators.ring(400, num_features=16)

    def moved(dtype: DTypeLike | None) -> np.ndarray:
        emulator = half(
            dtype, layers=[jdgnn.gcn(4)], optimizer=jdgnn.sgd(2e-4), initial="shared", gossip=None, backend="plain"
        )
        start = emulator.init(jax.random.key(0), network)
        before = [np.asarray(leaf, np.float32).mean(0) for leaf in leaves(start.params)]
        state, _ = jdgnn.run(emulator, start, network, 30)
        after = [np.asarray(leaf, np.float32).mean(0) for leaf in leaves(state.params)]
        return np.concatenate([(a - b).ravel() for a, b in zip(after, before, strict=True)])

    found, wanted = moved("bfloat16"), moved(None)
    assert np.abs(wanted).max() < 2**-9 * 0.2  # below half of the spacing of most parameters
    assert np.corrcoef(found, wanted)[0, 1] > 0.9
    assert abs(np.polyfit(wanted, found, 1)[0] - 1) < 0.1


@pytest.mark.long
def test_same_bits_however_a_run_is_cut() -> None:
    emulator = half(availability=jdgnn.availability(clocks.bernoulli(0.5)))
    whole, _ = outcome(emulator, 20)
    state, _ = outcome(emulator, 7)
    state, _ = jdgnn.run(emulator, state, NETWORK, 13, record_every=1)
    assert_same_bits(state, whole)
    assert_same_bits(outcome(emulator, 20)[0], whole)


def test_nodes_that_are_not_there_keep_their_parameters() -> None:
    emulator = half(availability=jdgnn.availability(clocks.bernoulli(0.0)))
    state, _ = outcome(emulator, 5)
    assert_same_bits(state.params, emulator.init(jax.random.key(0), NETWORK).params)


@pytest.mark.parametrize("merge", mostly_long(["average", "uniform_mean", "variance_corrected"], ["uniform_mean"]))
def test_all_ways_to_merge_round_alike(merge: str) -> None:
    gossip = jdgnn.gossip(peers=jdgnn.peers.matching(), capacity=1, merge=jdgnn.merging.MERGES[merge]())
    emulator = half(gossip=gossip)
    state = emulator.init(jax.random.key(0), NETWORK)
    count = NETWORK.num_nodes
    partner = jnp.arange(count, dtype=jnp.int32) ^ 1
    everybody = jnp.ones((count, 1), bool)
    seed = jax.random.bits(jax.random.key(1), (count,), jnp.uint32)
    found = inbox.Inbox(row=partner[:, None], is_merged=everybody, is_rejected=~everybody, seed=seed)
    models = Model(bfloat16.packed(state.params), state.age)
    folded = fold.fold(gossip, found, models, models, None)
    if gossip.merge.weigh is not None:
        assert_same_bits(fold.fold_in_place(gossip, found, models), folded)
    assert_same_bits(fold.merge_pairs(gossip, partner, everybody[:, 0], models, seed), folded)
    some = jnp.array([3, 0], jnp.int32)
    at = jax.tree.map(lambda leaf: leaf[some], models)
    assert_same_bits(fold.fold(gossip, found, models, at, some), jax.tree.map(lambda leaf: leaf[some], folded))


def test_half_of_the_bytes_are_kept_and_sent() -> None:
    full, narrow = (half(dtype).shapes(NETWORK) for dtype in (None, jnp.bfloat16))
    assert tree_bytes(full.params) == 2 * tree_bytes(narrow.params)
    sent = [message_bytes(state)[2] - 4 for state in (full, narrow)]
    assert sent[0] == 2 * sent[1]


@pytest.mark.parametrize("given", ["float32", "half", "bf16", 16, np.float64, "int8"])
def test_other_precisions_are_refused(given: Any) -> None:
    with pytest.raises(jdgnn.InputError, match=r"param_dtype: .*got .*"):
        half(given)


def test_features_in_double_are_refused() -> None:
    with (
        jax.enable_x64(True),
        pytest.raises(jdgnn.InputError, match="param_dtype: got bfloat16 for features in float64"),
    ):
        half().init(jax.random.key(0), small_double())


def small_double() -> jdgnn.Network:
    return jdgnn.network.from_edges(NETWORK.senders, NETWORK.receivers, NETWORK.features.astype(np.float64))


def test_kernels_and_the_debug_back_end_say_that_they_do_not_know_it() -> None:
    with pytest.raises(
        jdgnn.InputError, match="backend: got 'cpu', and compiled kernels cannot be used: param_dtype is bfloat16"
    ):
        half(backend="cpu").init(jax.random.key(0), NETWORK)
    emulator = half()
    with pytest.raises(jdgnn.InputError, match=r"emulator\.param_dtype: expected None, since debug_run"):
        jdgnn.debug_run(emulator, emulator.init(jax.random.key(0), NETWORK), NETWORK, 1)


def test_the_exact_encoder_takes_both_precisions() -> None:
    emulator = half(initial="shared")
    state = emulator.init(jax.random.key(0), NETWORK)
    assert_same_bits(emulator.encode(state.params, NETWORK), emulator.encode(bfloat16.widened(state.params), NETWORK))
