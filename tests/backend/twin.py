"""Merging in plain NumPy from copies of everything, and models to try it on.

Axes: N nodes, M models in an inbox, Q models that were sent, R rows and C columns of a matrix.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jdgnn.backend import calls
from jdgnn.backend.calls import Affine, Exchange, Plan, Step

SHARES = (0, 0.25, 1 / 3, 0.5, 1)
FAR = 2**31 - 1


class Problem(NamedTuple):
    """What is merged; None stands for what is not there, as in `calls.merge`."""

    own: Affine
    source: Any  # [N, M]
    share: Any  # [N, M]
    active: Any  # [N]
    sent: Affine | None = None
    pending: Step | None = None
    inputs: Any = None  # [N, I, R]


def problem(
    rng: np.random.Generator,
    source: np.ndarray,
    active: np.ndarray | None = None,
    *,
    shape: tuple[int, int] = (2, 3),
    dtype: Any = np.float64,
    num_sent: int = 0,
    has_bias: bool = True,
) -> Problem:
    """Random models and steps put off by some, for given sources [N, M] or [N]."""
    source = source.reshape(len(source), -1).astype(np.int32)
    num_nodes, (rows, columns) = len(source), shape

    def numbers(*shape: int) -> Any:
        return rng.normal(size=shape).astype(dtype)

    def models(count: int) -> Affine:
        return Affine(numbers(count, rows, columns), numbers(count, columns if has_bias else 0))

    return Problem(
        own=models(num_nodes),
        source=source,
        share=rng.choice(SHARES, source.shape).astype(dtype),
        active=np.ones(num_nodes, bool) if active is None else active,
        sent=models(num_sent) if num_sent else None,
        pending=Step(numbers(num_nodes, rows), numbers(num_nodes, columns), jnp.asarray(rng.random(num_nodes) < 0.6)),
        inputs=numbers(num_nodes, 2, rows),
    )


@partial(jax.jit, static_argnames="cores")
def planned(source: Any, active: Any, cores: int = 2) -> Plan:
    """The plan for some number of cores."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calls, "num_cores", lambda: cores)
        return calls.plan(source, active)


@partial(jax.jit, static_argnames="cores")
def merged(given: Problem, cores: int = 2) -> tuple[Affine, Any]:
    """What the kernels make of a problem: parameters, and the product."""
    first = given.source[:, 0] if given.sent is None else given.source[:, 0] * 0 - 1
    plan = planned(first, given.active, cores)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calls, "num_cores", lambda: cores)
        exchange = Exchange(plan, given.source, given.share)
        return calls.merge(given.own, given.sent, exchange, given.pending, given.inputs)


def stepped(own: Affine, step: Step | None) -> Affine:
    """All steps made, in NumPy."""
    if step is None:
        return own
    x, g = (np.where(step.is_stepping[:, None], part, 0) for part in (step.input, step.scaled))
    return Affine(own.matrix - x[:, :, None] * g[:, None, :], own.bias - g if own.bias.size else own.bias)


def expected(given: Problem) -> tuple[Affine, Any]:
    """The same as `merged`, in NumPy: every model is read as it was, with its step made."""
    settled = stepped(given.own, given.pending)
    sent, mixed = settled if given.sent is None else given.sent, list(settled)
    for u, share in zip(given.source.T, given.share.T, strict=True):
        is_there = (u >= 0) & (u < len(sent.matrix))
        weight, row = np.where(is_there, share, 0), np.where(is_there, u, 0)
        for part, received in enumerate(sent):
            w = weight.reshape(-1, *(1,) * (received.ndim - 1))
            mixed[part] = (1 - w) * mixed[part] + w * received[row]
    active = given.active[:, None]
    kept: Any = (
        np.where(active[:, :, None], mixed[0], given.own.matrix),
        np.where(active, mixed[1], given.own.bias),
    )
    new = Affine(*kept)
    if given.inputs is None:
        return new, None
    product = np.einsum("nir,nrc->nic", given.inputs, new.matrix) + (new.bias[:, None] if new.bias.size else 0)
    return new, np.where(active[:, :, None], product, 0)


def assert_agrees(given: Problem, cores: int = 2) -> None:
    """Kernels and NumPy give the same, to rounding; what is not active stays, bit for bit."""
    (new, product), (wanted, wanted_product) = jax.tree.map(np.asarray, merged(given, cores)), expected(given)
    tolerance = 1e-12 if given.own.matrix.dtype == np.float64 else 2e-5
    for actual, desired in zip(new, wanted, strict=True):
        assert actual.dtype == given.own.matrix.dtype
        assert_allclose(actual, desired, rtol=tolerance, atol=tolerance)
    for actual, before in zip(new, given.own, strict=True):
        assert actual[~given.active].tobytes() == before[~given.active].tobytes()
    if given.inputs is not None:
        assert_allclose(product, wanted_product, rtol=tolerance, atol=20 * tolerance)
        assert not product[~given.active].any()


def rotation(num_nodes: int, step: int) -> np.ndarray:
    """Everybody merges the model of the one `step` below."""
    return (np.arange(num_nodes) - step) % num_nodes


def _matching(rng: np.random.Generator, num_nodes: int) -> np.ndarray:
    source, pairs = np.full(num_nodes, num_nodes), rng.permutation(num_nodes)[: num_nodes // 2 * 2].reshape(-1, 2)
    source[pairs[:, 0]], source[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    return source


def _sprinkled(rng: np.random.Generator, num_nodes: int) -> np.ndarray:
    nobody = rng.choice([-FAR - 1, -1, num_nodes, FAR], num_nodes)
    return np.where(rng.random(num_nodes) < 0.4, nobody, rng.integers(0, num_nodes, num_nodes))


def _trees_on_cycles(rng: np.random.Generator, num_nodes: int) -> np.ndarray:
    """A few cycles among a third of the nodes, on which all others hang in long branches."""
    label, core = rng.permutation(num_nodes), max(1, num_nodes // 3)
    source = np.arange(num_nodes) - 1 - rng.integers(0, 3, num_nodes)
    source[:core] = rng.permutation(core)
    renamed = np.empty(num_nodes, np.int64)
    renamed[label] = label[np.maximum(source, 0)]
    return renamed


Sources = Callable[[np.random.Generator, int], np.ndarray]

SOURCES: dict[str, Sources] = {
    "nobody": lambda rng, n: np.full(n, -1),
    "oneself": lambda rng, n: np.arange(n),
    "rotation by 1": lambda rng, n: rotation(n, 1),
    "rotation by -1": lambda rng, n: rotation(n, n - 1),
    "rotation by 10": lambda rng, n: rotation(n, 10),
    "rotation by 25": lambda rng, n: rotation(n, 25),
    "rotation by half": lambda rng, n: rotation(n, n // 2),
    "rotation with one gap": lambda rng, n: np.where(np.arange(n) == n // 2, -1, rotation(n, 3)),
    "permutation": lambda rng, n: rng.permutation(n),
    "matching": _matching,
    "hub": lambda rng, n: np.full(n, n // 2),
    "two hubs": lambda rng, n: rng.choice([0, n - 1], n),
    "chain up": lambda rng, n: np.arange(n) - 1,
    "chain down": lambda rng, n: np.arange(n) + 1,
    "random": lambda rng, n: rng.integers(0, n, n),
    "sprinkled with nobody": _sprinkled,
    "trees on cycles": _trees_on_cycles,
}
