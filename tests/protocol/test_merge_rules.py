"""What the merge rules give, worked out by hand."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdgnn.parts import as_argument
from jdgnn.protocol.merging import (
    MERGES,
    MergeRule,
    adopt,
    age_weighted,
    average,
    limited,
    uniform_mean,
    variance_corrected,
)
from tests.reference import twins
from tests.support import assert_same_bits

FOLDING = {name: make() for name, make in MERGES.items() if make().merge is not None}
RULES = FOLDING | {
    f"variance_corrected {name}": variance_corrected(rule)
    for name, rule in FOLDING.items()
    if name != "variance_corrected"
}

merge_compiled = jax.jit(lambda rule, *arguments: rule.merge(*arguments))


def merge(
    rule: MergeRule, params: Any, age: int, received: Any, received_age: int, fold_index: int = 0
) -> tuple[Any, Any]:
    ages = jnp.int32(age), jnp.int32(received_age)
    return merge_compiled(as_argument(rule), params, ages[0], received, ages[1], jnp.int32(fold_index))


def merged_number(
    rule: MergeRule, own: float, age: int, received: float, received_age: int, fold_index: int = 0
) -> Any:
    params, merged_age = merge(rule, jnp.float32(own), age, jnp.float32(received), received_age, fold_index)
    assert merged_age.dtype == jnp.int32
    return float(params), int(merged_age)


def tree(seed: int, dtype: Any = jnp.float32) -> Any:
    """A model with a matrix, a vector, a scalar and a leaf of zeros."""
    keys = jax.random.split(jax.random.key(seed), 3)
    return {
        "layer": {"kernel": jax.random.normal(keys[0], (4, 3), dtype), "bias": jax.random.normal(keys[1], (3,), dtype)},
        "objective": [jax.random.normal(keys[2], (), dtype), jnp.zeros(2, dtype)],
    }


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(("ages", "fold_index"), [((0, 0), 0), ((7, 7), 2), ((3, 5), 1), ((100, 1), 0)])
def test_equal_models_are_left_as_they_are_bit_for_bit(name: str, ages: tuple[int, int], fold_index: int) -> None:
    params, merged_age = merge(RULES[name], tree(0), ages[0], tree(0), ages[1], fold_index)
    assert_same_bits(params, tree(0))
    assert int(merged_age) in ages
    assert "adopt" in name or int(merged_age) >= ages[0]


@pytest.mark.parametrize(
    ("name", "ages", "expected"),
    [
        ("average", (3, 1), 2.0),
        ("uniform_mean", (3, 1), 1.0),
        *(
            ("age_weighted", *one)
            for one in (((0, 0), 2.0), ((3, 1), 1.0), ((1, 3), 3.0), ((0, 5), 4.0), ((5, 0), 0.0))
        ),
        *(("limited", *one) for one in (((0, 0), 2.0), ((6, 2), 1.0), ((7, 2), 0.0), ((2, 6), 3.0), ((2, 7), 4.0))),
        ("keep_own", (1, 3), 0.0),
        ("adopt", (3, 1), 4.0),
    ],
)
def test_rules_and_their_twins_by_hand(name: str, ages: tuple[int, int], expected: float) -> None:
    """Of 0 and 4, as the third model of an inbox."""
    oldest = {"keep_own": ages[0], "adopt": ages[1]}.get(name, max(ages))
    rule = limited(4) if name == "limited" else MERGES[name]()
    assert merged_number(rule, 0.0, ages[0], 4.0, ages[1], 2) == (expected, oldest)
    twin = twins.merge_rule(name, limit=4, is_variance_corrected=False)
    assert twin(np.array(0.0), ages[0], np.array(4.0), ages[1], 2) == (expected, oldest)


@pytest.mark.parametrize(
    ("own", "received", "expected"),
    [
        ([3.0, 0.0], [0.0, 4.0], [2.1, 2.8]),
        ([3.0, 0.0], [3.0, 0.0], [3.0, 0.0]),
        ([0.0, 0.0], [0.0, 4.0], [0.0, 2.0]),  # one is zero: as the average is
        ([3.0, 1.0], [0.0, 0.0], [1.5, 0.5]),
        ([1.0, -2.0], [-1.0, 2.0], [0.0, 0.0]),  # the average is zero
        (3.0, -1.0, 2.0),
        (3.0, 0.0, 1.5),
        (-2.0, -6.0, -4.0),
    ],
)
def test_variance_correction_and_its_twin_by_hand(own: Any, received: Any, expected: Any) -> None:
    params, _ = merge(variance_corrected(), {"a": jnp.array(own)}, 0, {"a": jnp.array(received)}, 0)
    np.testing.assert_allclose(params["a"], expected, rtol=1e-6)
    twin = twins.merge_rule("average", limit=0, is_variance_corrected=True)
    np.testing.assert_allclose(twin(np.array(own), 0, np.array(received), 0, 0)[0], expected, rtol=1e-15)


def test_age_weights_do_not_overflow() -> None:
    assert merged_number(age_weighted(), 0.0, 2**31 - 1, 4.0, 2**31 - 1) == (2.0, 2**31 - 1)


def test_uniform_mean_gives_every_model_of_an_inbox_the_same_weight() -> None:
    params, age = jnp.float32(2), jnp.int32(1)
    for fold_index, received in enumerate((4.0, 9.0, 13.0)):
        params, age = merge(uniform_mean(), params, int(age), jnp.float32(received), fold_index, fold_index)
    np.testing.assert_allclose(params, 7.0, rtol=1e-6)
    assert age == 2


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_limited_takes_nothing_of_the_model_it_leaves(bad: float) -> None:
    assert merged_number(limited(3), 1.5, 20, bad, 1) == (1.5, 20)
    assert merged_number(limited(3), bad, 1, 1.5, 20) == (1.5, 20)


def test_adopt_takes_everything_even_a_lower_age() -> None:
    params, age = merge(adopt(), tree(0), 9, tree(1), 2)
    assert_same_bits(params, tree(1))
    assert age == 2


def test_variance_correction_brings_each_leaf_to_the_mean_norm() -> None:
    own, received = tree(3), tree(4)
    plain, _ = merge(average(), own, 1, received, 2)
    corrected, age = merge(variance_corrected(), own, 1, received, 2)
    assert age == 2
    for leaf, straight, a, b in zip(*map(jax.tree.leaves, (corrected, plain, own, received)), strict=True):
        norms = np.linalg.norm(np.ravel(a)), np.linalg.norm(np.ravel(b)), np.linalg.norm(np.ravel(straight))
        np.testing.assert_allclose(np.linalg.norm(np.ravel(leaf)), (norms[0] + norms[1]) / 2, rtol=1e-5)
        np.testing.assert_allclose(leaf * norms[2], straight * (norms[0] + norms[1]) / 2, rtol=1e-5)


def test_variance_correction_of_other_rules() -> None:
    own, received = jnp.array([3.0, 0.0]), jnp.array([0.0, 4.0])
    params, age = merge(variance_corrected(adopt()), own, 9, received, 2)
    np.testing.assert_allclose(params, [0.0, 3.5], rtol=1e-6)
    assert age == 2
    params, _ = merge(variance_corrected(uniform_mean()), own, 9, received, 2, fold_index=1)
    np.testing.assert_allclose(params, np.array([2.0, 4 / 3]) * 3.5 / np.hypot(2, 4 / 3), rtol=1e-6)
    params, _ = merge(variance_corrected(limited(3)), own, 9, received, 2)
    np.testing.assert_allclose(params, [3.5, 0.0], rtol=1e-6)


def test_variance_correction_keeps_independent_weights_from_vanishing() -> None:
    plain = corrected = jax.random.normal(jax.random.key(0), (2000,))
    for seed in range(1, 6):
        received = jax.random.normal(jax.random.key(seed), (2000,))
        plain, _ = merge(uniform_mean(), plain, 0, received, 0, seed - 1)
        corrected, _ = merge(variance_corrected(uniform_mean()), corrected, 0, received, 0, seed - 1)
    assert float(jnp.std(plain)) < 0.5
    assert abs(float(jnp.std(corrected)) - 1) < 5 / np.sqrt(2 * 2000)
