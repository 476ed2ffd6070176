"""Steps along outer products are the steps of the optimisers, and putting them off changes no bit."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jdgnn
from jdgnn.backend import calls
from jdgnn.backend.backend import CPU
from jdgnn.backend.calls import Exchange
from jdgnn.backend.per_node import per_node
from jdgnn.emulation.in_place import defer_steps, settle
from jdgnn.emulation.state import State
from jdgnn.learning.local_step import local_update
from jdgnn.learning.optimizers import OPTIMIZERS, Optimizer, cosine
from jdgnn.learning.optimizers.outer import affine
from tests.backend.twin import SOURCES, planned
from tests.support import assert_same_bits, small_emulator, small_network

pytestmark = pytest.mark.usefixtures("compiled", "in_double")

NUM_STEPS = 5
CHOICES: dict[str, Callable[[], Optimizer]] = {
    "sgd": lambda: jdgnn.sgd(0.1),
    "sgd, cosine": lambda: jdgnn.sgd(0.1, rate_schedule=cosine(4, floor=0.1)),
    "momentum": lambda: jdgnn.momentum(0.1, decay=0.8),
    "momentum, cosine": lambda: jdgnn.momentum(0.1, rate_schedule=cosine(4)),
    "adam": lambda: jdgnn.adam(1e-2),
    "adam, other numbers": lambda: jdgnn.adam(1e-1, b1=0.5, b2=0.6, eps=1e-3, rate_schedule=cosine(4)),
    "adam, nothing kept": lambda: jdgnn.adam(1e-1, b1=0.0, b2=0.0),
}


class Moment(NamedTuple):
    """What one step is made from."""

    inputs: dict[str, Any]
    gradient: Any
    is_stepping: Any


def moments(rng: np.random.Generator, num_nodes: int, widths: tuple[int, int], dtype: Any) -> list[Moment]:
    """Inputs, some of them zero, and gradients; in each step some nodes stand still, and node 0 in all."""
    found = []
    for _ in range(NUM_STEPS):
        inputs = {name: rng.normal(size=(num_nodes, widths[0])).astype(dtype) for name in ("own", "neighbours")}
        inputs["neighbours"][rng.random(num_nodes) < 0.2] = 0
        is_stepping = (rng.random(num_nodes) < 0.7) & (np.arange(num_nodes) > 0)
        found.append(Moment(inputs, rng.normal(size=(num_nodes, widths[1])).astype(dtype), is_stepping))
    return found


def first_params(rng: np.random.Generator, num_nodes: int, widths: tuple[int, int], dtype: Any) -> dict[str, Any]:
    """Two maps, one of them without a bias, as of `sage`."""
    kernel = rng.normal(size=(2, num_nodes, *widths)).astype(dtype)
    bias = rng.normal(size=(num_nodes, widths[1])).astype(dtype)
    layer = {"own": {"kernel": kernel[0], "bias": bias}, "neighbours": {"kernel": kernel[1]}}
    return jax.tree.map(jnp.asarray, {"layer": layer, "objective": ()})


@jax.jit
def by_outer(optimizer: Optimizer, params: Any, opt_state: Any, num_steps: Any, moment: Moment) -> Any:
    assert optimizer.step_outer is not None
    assert optimizer.rate is not None
    rate = jnp.asarray(per_node(optimizer.rate)(num_steps), moment.gradient.dtype)
    return optimizer.step_outer(params, opt_state, moment.inputs, moment.gradient, rate, moment.is_stepping)


@jax.jit
def by_step(optimizer: Optimizer, params: Any, opt_state: Any, num_steps: Any, moment: Moment) -> Any:
    kernel = {name: moment.inputs[name][:, :, None] * moment.gradient[:, None, :] for name in moment.inputs}
    layer = {"own": {"kernel": kernel["own"], "bias": moment.gradient}, "neighbours": {"kernel": kernel["neighbours"]}}
    gradient = {"layer": layer, "objective": ()}
    return per_node(local_update, shared=(0,))(optimizer, gradient, opt_state, params, num_steps, moment.is_stepping)


def rows(tree: Any, mask: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf[mask], tree)


def check(optimizer: Optimizer, num_nodes: int, widths: tuple[int, int], dtype: Any = np.float64) -> None:
    """Both ways agree after each of some steps, and who stands still keeps every bit."""
    rng, tolerance = np.random.default_rng(0), 1e-12 if dtype == np.float64 else 2e-5
    params = first_params(rng, num_nodes, widths, dtype)
    opt_state = per_node(optimizer.init)(params)
    wanted, num_steps = (params, opt_state), jnp.zeros(num_nodes, jnp.int32)
    for moment in moments(rng, num_nodes, widths, dtype):
        before = (params, opt_state)
        params, opt_state = by_outer(optimizer, params, opt_state, num_steps, moment)
        wanted = by_step(optimizer, *wanted, num_steps, moment)
        num_steps = num_steps + moment.is_stepping.astype(np.int32)
        structures: list[Any] = [jax.tree.structure(held) for held in ((params, opt_state), wanted)]
        assert structures[0] == structures[1]
        for actual, expected in zip(*map(jax.tree.leaves, ((params, opt_state), wanted)), strict=True):
            assert actual.dtype == expected.dtype
            assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)
        idle = ~moment.is_stepping
        kept, held = (jax.tree.map(itemgetter(idle), tree) for tree in (before, (params, opt_state)))
        assert_same_bits(kept, held)
    assert len(np.unique(num_steps)) > 2


@pytest.mark.parametrize("name", CHOICES)
def test_steps_are_those_of_the_optimiser(name: str) -> None:
    check(CHOICES[name](), 12, (5, 7))


@pytest.mark.parametrize("widths", [(1, 1), (3, 1), (1, 65), (2, 130)])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_of_any_width(name: str, widths: tuple[int, int]) -> None:
    check(OPTIMIZERS[name](0.01), 12, widths)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_in_single_precision_and_of_many_nodes(name: str) -> None:
    check(CHOICES[name](), 12, (5, 7), np.float32)
    check(CHOICES[name](), 4000, (8, 9))


def test_every_optimiser_has_its_kernel() -> None:
    assert {name.split(",")[0] for name in CHOICES} == set(OPTIMIZERS)
    assert all(make(0.1).step_outer is not None for make in OPTIMIZERS.values())


def deferred_by_some(rng: np.random.Generator) -> State:
    """Nodes of two layers, some of whom have put off a step."""
    network = small_network()
    network = replace(network, features=network.features.astype(np.float64))
    emulator = small_emulator(optimizer=jdgnn.sgd(0.1), gossip=jdgnn.gossip(capacity=1), initial="independent")
    state = defer_steps(emulator, CPU, emulator.init(jax.random.key(0), network), jnp.asarray(network.features))
    assert state.pending is not None
    drawn = jax.tree.map(
        lambda leaf: jnp.asarray(rng.random(leaf.shape) < 0.6 if leaf.dtype == bool else rng.normal(size=leaf.shape)),
        state.pending,
    )
    return replace(state, pending=drawn)


def merged(state: State, source: Any) -> Any:
    """What the nodes hold after merging, and all products."""
    rng, active = np.random.default_rng(1), np.ones(state.num_nodes, bool)
    source = source.astype(np.int32)[:, None]
    exchange = Exchange(planned(source[:, 0], active), source, rng.choice([0.3, 0.5, 1.0], source.shape))
    results = []
    for index, layer in enumerate(state.params):
        for name, maps in layer["layer"].items():
            pending = None if state.pending is None else state.pending[index][name]
            vectors = rng.normal(size=maps["kernel"].shape[:2])
            results.append(calls.merge(affine(maps), None, exchange, pending, vectors[:, None]))
    return results


@pytest.mark.parametrize("kind", ["permutation", "matching", "trees on cycles", "nobody"])
def test_a_step_gives_the_same_bits_by_itself_and_while_merging(kind: str) -> None:
    rng = np.random.default_rng(2)
    state, source = deferred_by_some(rng), SOURCES[kind](rng, 12)
    settled = settle(CPU, state)
    assert any((a != b).any() for a, b in zip(*map(jax.tree.leaves, (state.params, settled.params)), strict=True))
    expected = merged(replace(settled, pending=None), source)
    assert_same_bits(merged(state, source), expected)
    assert_same_bits(merged(settled, source), expected)


def test_settling_leaves_nothing_to_be_done() -> None:
    state = settle(CPU, deferred_by_some(np.random.default_rng(2)))
    assert_same_bits(settle(CPU, state), state)
    unhurried = replace(state, pending=None)
    assert settle(CPU, unhurried) is unhurried


def test_steps_are_deferred_only_where_nothing_else_reads_parameters_meanwhile() -> None:
    """Not by optimisers with state, nor where models are copied into a pool, nor where nobody steps."""
    network = small_network()
    late = jdgnn.gossip(capacity=1, link=jdgnn.link(delay=1))
    for changes, is_deferred in (
        ({}, True),
        ({"gossip": None}, True),
        ({"optimizer": jdgnn.adam(0.1)}, False),
        ({"gossip": late}, False),
        ({"gossip": jdgnn.gossip(capacity=1, order="merge_only")}, False),
    ):
        settings: dict[str, Any] = {"optimizer": jdgnn.sgd(0.1), "gossip": jdgnn.gossip(capacity=1)}
        emulator = small_emulator(**settings | changes)
        given = emulator.init(jax.random.key(0), network), jnp.asarray(network.features)
        state = jax.eval_shape(partial(defer_steps, emulator, CPU), *given)
        assert (state.pending is not None) == is_deferred
