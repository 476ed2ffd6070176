"""Every layer, objective and optimiser against plain NumPy; gradients against finite differences of that NumPy."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jax.flatten_util import ravel_pytree
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from jdgnn.learning.layers import LAYERS
from jdgnn.learning.objectives import OBJECTIVES
from jdgnn.learning.optimizers import OPTIMIZERS, cosine, until
from jdgnn.network.network import from_edges
from jdgnn.network.topology import topology
from tests.reference import twins

NUM_FEATURES, UNITS, NUM_POSITIVES, NUM_SAMPLES = 4, 3, 2, 3
EXACT = 1e-12
NUMBER = {
    "barlow_twins": ("redundancy", 0.3),
    "cca": ("orthogonality", 0.2),
    "edge_reconstruction": ("scale", 3.0),
    "info_nce": ("temperature", 0.3),
    "margin_ranking": ("margin", 0.7),
    "next_input": ("deviation", 1.5),
    "vicreg": ("deviation", 1.5),
}
SCHEDULES: dict[str, Any] = {"none": None, "cosine": cosine(horizon=4, floor=0.1), "until": until(3)}
VIEWS = {"masked_input", "masked_views"}
BOTH_KINDS = sorted({"masked_input", *NUMBER} - {"edge_reconstruction"})
PAIRS = sorted({("sage", objective) for objective in NUMBER} | {(kind, "info_nce") for kind in LAYERS})
layers = pytest.mark.parametrize("kind", sorted(LAYERS))
objectives = pytest.mark.parametrize("objective", sorted(NUMBER))
pairs = pytest.mark.parametrize(("kind", "objective"), PAIRS)
few = settings(max_examples=6)
seeds = st.integers(0, 2**32 - 1)


def masks(length: int) -> st.SearchStrategy[list[bool]]:
    return st.lists(st.booleans(), min_size=length, max_size=length)


@pytest.fixture(autouse=True, scope="module")
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def layer_params(kind: str, rng: np.random.Generator) -> Any:
    """Parameters of one layer as the layer makes them, biases moved away from zero."""
    params = LAYERS[kind](UNITS).init(jax.random.key(0), NUM_FEATURES, jnp.float64)
    return jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), params)


def random_params(kind: str, objective: str, rng: np.random.Generator) -> Any:
    """Parameters of one layer and of its objective."""
    layer = layer_params(kind, rng)
    params = OBJECTIVES[objective]().init(jax.random.key(0), UNITS, jnp.float64)
    return {"layer": layer, "objective": jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), params)}


def vectors(kind: str, rng: np.random.Generator) -> tuple[Any, Any]:
    """A node's own vector and what it has aggregated."""
    own, aggregated = rng.normal(size=(2, NUM_FEATURES))
    return own, aggregated[None] if kind == "gat" else aggregated


def loss_and_gradient(kind: str, objective: str, normalize: bool) -> Callable[..., Any]:
    """The loss of one node and its gradient by parameters, through a layer."""
    name, number = NUMBER[objective]
    apply = OBJECTIVES[objective](**{name: number}).apply
    layer = LAYERS[kind](UNITS, normalize=normalize)

    def loss(params: Any, *inputs: Any) -> Any:
        encode = partial(layer.apply, params["layer"])
        return apply(params["objective"], encode, *inputs, jax.random.key(0))[0]

    return jax.jit(jax.value_and_grad(loss))


COMPILED = {
    (kind, objective, normalize): loss_and_gradient(kind, objective, normalize)
    for kind, objective in PAIRS
    for normalize in (True, False)
}


def central_differences(fn: Callable[[Any], float], params: Any, step: float = 1e-6) -> NDArray[np.float64]:
    flat, unravel = ravel_pytree(params)
    slopes = []
    for nudge in step * np.eye(len(flat)):
        up, down = (jax.tree.map(np.asarray, unravel(flat + sign * nudge)) for sign in (1, -1))
        slopes.append((fn(up) - fn(down)) / (2 * step))
    return np.array(slopes)


def random_inputs(kind: str, rng: np.random.Generator, pos_mask: list[bool], neg_mask: list[bool]) -> tuple[Any, ...]:
    own, aggregated = vectors(kind, rng)
    positives, negatives = (rng.normal(size=(n, UNITS)) for n in (NUM_POSITIVES, NUM_SAMPLES))
    return own, aggregated, positives, np.array(pos_mask), negatives, np.array(neg_mask)


def twin_loss(kind: str, objective: str, normalize: bool, inputs: tuple[Any, ...], params: Any) -> float:
    own, aggregated, positives, pos_mask, negatives, neg_mask = inputs
    z = twins.layer_output(kind, "leaky_relu", normalize, params["layer"], own, aggregated)
    given = z, list(positives[pos_mask]), list(negatives[neg_mask]), NUMBER[objective][1]
    return twins.LOSSES[objective](*given, *([params["objective"]] if params["objective"] else []))


def stays_clear_of_the_kink(kind: str, params: Any, own: Any, aggregated: Any) -> bool:
    """A finite difference across a kink, or at a vector of almost no length, says nothing."""
    given = twins.before_activation(kind, "leaky_relu", params, own, aggregated)
    return bool(min(np.abs(one).min() for one in given) > 0.05)


def test_every_registered_part_has_a_twin() -> None:
    assert set(LAYERS) == set(twins.LINEAR) | {"gin"} == set(twins.AGGREGATES)
    assert set(OBJECTIVES) == set(twins.LOSSES) | VIEWS
    assert set(OPTIMIZERS) == set(twins.OPTIMIZERS)


@layers
@pytest.mark.parametrize("activation", sorted(twins.ACTIVATIONS))
@pytest.mark.parametrize("normalize", [True, False])
@few
@given(seed=seeds)
def test_layer_equals_numpy(kind: str, activation: str, normalize: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    params = layer_params(kind, rng)
    own, aggregated = vectors(kind, rng)
    output = jax.jit(LAYERS[kind](UNITS, activation, normalize).apply)(params, own, aggregated)
    assert_allclose(
        output, twins.layer_output(kind, activation, normalize, params, own, aggregated), rtol=EXACT, atol=EXACT
    )


@layers
@pytest.mark.parametrize("activation", sorted(twins.ACTIVATIONS))
@pytest.mark.parametrize("normalize", [True, False])
def test_layer_gradient_equals_finite_differences(kind: str, activation: str, normalize: bool) -> None:
    rng = np.random.default_rng(7)
    arguments = layer_params(kind, rng), *vectors(kind, rng)
    assert stays_clear_of_the_kink(kind, *arguments)
    weights = rng.normal(size=UNITS)
    apply = LAYERS[kind](UNITS, activation, normalize).apply
    gradient = jax.grad(lambda arguments: weights @ apply(*arguments))(arguments)

    def twin(given: Any) -> float:
        return float(weights @ twins.layer_output(kind, activation, normalize, *given))

    slopes = central_differences(twin, arguments)
    assert_allclose(ravel_pytree(gradient)[0], slopes, rtol=1e-6, atol=1e-7)


@layers
def test_layer_at_zero_gives_zero_and_a_finite_gradient(kind: str) -> None:
    apply = LAYERS[kind](UNITS).apply
    rng = np.random.default_rng(0)
    params, *zeros = jax.tree.map(jnp.zeros_like, (layer_params(kind, rng), *vectors(kind, rng)))
    assert_array_equal(apply(params, *zeros), np.zeros(UNITS))
    gradient = jax.grad(lambda *arguments: jnp.sum(apply(*arguments)), argnums=(0, 1, 2))(params, *zeros)
    assert np.isfinite(ravel_pytree(gradient)[0]).all()


@layers
@few
@given(seed=seeds, mask=masks(6))
def test_aggregate_equals_numpy(kind: str, seed: int, mask: list[bool]) -> None:
    rng = np.random.default_rng(seed)
    network = from_edges([1, 2, 3, 0, 2, 0], [0, 0, 0, 1, 1, 3], rng.normal(size=(5, NUM_FEATURES)))
    received, received_mask, layer = rng.normal(size=(6, NUM_FEATURES)), np.array(mask), LAYERS[kind](UNITS)
    asked = None
    if layer.query is not None:
        asked = [layer.query(layer_params(kind, rng), own) for own in network.features]
    result = layer.aggregate(
        jnp.asarray(network.features),
        jnp.asarray(received),
        jnp.asarray(received_mask),
        topology(network),
        None if asked is None else jax.tree.map(lambda *rows: jnp.stack(rows), *asked),
    )
    degree = network.in_degree.tolist()
    for v in range(network.num_nodes):
        edges = [e for e in range(6) if network.receivers[e] == v and mask[e]]
        degrees = np.array([degree[network.senders[e]] for e in edges])
        heard = network.features[v], degree[v], received[edges], np.ones(len(edges)), degrees
        expected = twins.AGGREGATES[kind](*heard, None if asked is None else asked[v])
        assert_allclose(result[v], expected, rtol=EXACT, atol=EXACT)


@layers
def test_what_has_not_arrived_does_not_enter_the_aggregate(kind: str) -> None:
    network = from_edges([1, 2, 0], [0, 0, 1], np.ones((3, NUM_FEATURES)))
    aggregate = partial(LAYERS[kind](UNITS).aggregate, jnp.asarray(network.features))
    mask = jnp.array([True, False, False])
    received = np.random.default_rng(0).normal(size=(2, 3, NUM_FEATURES)) * 1e100
    received[:, 0] = 1.0
    query = {"key": jnp.ones((3, 1, NUM_FEATURES)), "offset": jnp.zeros((3, 1))} if kind == "gat" else None
    plain, garbage = (aggregate(jnp.asarray(rows), mask, topology(network), query) for rows in received)
    assert_array_equal(plain, garbage)


@pairs
@pytest.mark.parametrize("normalize", [True, False])
@few
@given(seed=seeds, pos_mask=masks(NUM_POSITIVES), neg_mask=masks(NUM_SAMPLES))
def test_loss_and_gradient_equal_numpy_and_finite_differences(
    kind: str, objective: str, normalize: bool, seed: int, pos_mask: list[bool], neg_mask: list[bool]
) -> None:
    assume(OBJECTIVES[objective]().is_defined(np.array(pos_mask), np.array(neg_mask)))
    rng = np.random.default_rng(seed)
    params = random_params(kind, objective, rng)
    inputs = random_inputs(kind, rng, pos_mask, neg_mask)
    assume(stays_clear_of_the_kink(kind, params["layer"], *inputs[:2]))
    loss, gradient = COMPILED[kind, objective, normalize](params, *inputs)
    twin = partial(twin_loss, kind, objective, normalize, inputs)
    assert_allclose(loss, twin(params), rtol=EXACT, atol=EXACT)
    assert_allclose(ravel_pytree(gradient)[0], central_differences(twin, params), rtol=1e-5, atol=1e-6)


@pairs
@few
@given(seed=seeds, pos_mask=masks(NUM_POSITIVES), neg_mask=masks(NUM_SAMPLES), size=st.sampled_from([0.0, 1.0, 1e100]))
def test_masked_entries_have_no_influence(
    kind: str, objective: str, seed: int, pos_mask: list[bool], neg_mask: list[bool], size: float
) -> None:
    rng = np.random.default_rng(seed)
    params = random_params(kind, objective, rng)
    own, aggregated, positives, is_pos, negatives, is_neg = random_inputs(kind, rng, pos_mask, neg_mask)
    garbage = [size * rng.normal(size=rows.shape) for rows in (positives, negatives)]
    changed = [
        np.where(mask[:, None], rows, junk)
        for mask, rows, junk in zip((is_pos, is_neg), (positives, negatives), garbage, strict=True)
    ]
    compute = COMPILED[kind, objective, True]
    before = compute(params, own, aggregated, positives, is_pos, negatives, is_neg)
    after = compute(params, own, aggregated, changed[0], is_pos, changed[1], is_neg)
    assert_array_equal(ravel_pytree(before)[0], ravel_pytree(after)[0])
    assert np.isfinite(ravel_pytree(after)[0]).all()


@pairs
@pytest.mark.parametrize("is_there", [True, False])
def test_zero_vectors_leave_loss_and_gradient_finite(kind: str, objective: str, is_there: bool) -> None:
    params = jax.tree.map(np.zeros_like, random_params(kind, objective, np.random.default_rng(0)))
    inputs = random_inputs(kind, np.random.default_rng(1), [is_there] * NUM_POSITIVES, [is_there] * NUM_SAMPLES)
    zeros = [rows if rows.dtype == bool else np.zeros_like(rows) for rows in inputs]
    result = COMPILED[kind, objective, True](params, *zeros)
    assert np.isfinite(ravel_pytree(result)[0]).all()


@objectives
@pytest.mark.parametrize("shape", [(0, NUM_SAMPLES), (NUM_POSITIVES, 0), (0, 0)])
def test_axes_without_entries_are_taken(objective: str, shape: tuple[int, int]) -> None:
    num_positives, num_samples = shape
    rng = np.random.default_rng(0)
    own, aggregated, positives, _, negatives, _ = random_inputs("sage", rng, [], [])
    inputs = (
        *(own, aggregated, positives[:num_positives], np.ones(num_positives, bool)),
        *(negatives[:num_samples], np.ones(num_samples, bool)),
    )
    result = COMPILED["sage", objective, True](random_params("sage", objective, rng), *inputs)
    assert np.isfinite(ravel_pytree(result)[0]).all()


@pytest.mark.parametrize(
    ("objective", "has_positives", "has_negatives", "expected"),
    [
        *((name, True, True, True) for name in BOTH_KINDS),
        *((name, True, False, False) for name in BOTH_KINDS),
        *((name, False, True, False) for name in BOTH_KINDS),
        *((name, False, False, False) for name in BOTH_KINDS),
        ("masked_views", False, True, True),
        ("masked_views", True, False, False),
        ("edge_reconstruction", True, True, True),
        ("edge_reconstruction", True, False, True),
        ("edge_reconstruction", False, True, True),
        ("edge_reconstruction", False, False, False),
    ],
)
def test_what_an_objective_needs(objective: str, has_positives: bool, has_negatives: bool, expected: bool) -> None:
    is_defined = OBJECTIVES[objective]().is_defined
    assert bool(is_defined(np.array([has_positives, False]), np.array([False, has_negatives]))) is expected


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
@pytest.mark.parametrize("schedule", ["none", "cosine", "until"])
def test_optimizer_equals_numpy(optimizer: str, schedule: str) -> None:
    rng = np.random.default_rng(3)
    start, gradients = rng.normal(size=5), list(rng.normal(size=(6, 5)))
    made = OPTIMIZERS[optimizer](0.05, rate_schedule=SCHEDULES[schedule])
    params: Any = {"kernel": jnp.asarray(start)}
    opt_state = made.init(params)
    for num_steps, gradient in enumerate(gradients):
        params, opt_state = made.step({"kernel": jnp.asarray(gradient)}, opt_state, params, jnp.int32(num_steps))
    rates = [0.05 * {"none": 1.0, "cosine": twins.cosine(t, 4, 0.1), "until": float(t < 3)}[schedule] for t in range(6)]
    assert_allclose(params["kernel"] - start, twins.OPTIMIZERS[optimizer](gradients, rates), rtol=EXACT, atol=EXACT)
