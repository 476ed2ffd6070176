"""The forms of the PyTorch loop do the same work, and what is written out by hand is what PyTorch computes."""

from typing import Any

import numpy as np
import pytest

from bench.torch_loops import BatchedAutograd, BatchedByHand, BatchedTuned, Loop, ObjectPerNode

pytestmark = pytest.mark.torch
SHAPE: dict[str, Any] = {"nodes": 30, "units": 6, "positives": 4, "negatives": 3, "degree": 5, "threads": 1, "seed": 7}


def _after_two_rounds(form: type[Loop], **others: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    loop = form(**SHAPE, dtype="float64", **others)
    assert loop.run(1) > 0  # the first round is the warm-up
    weight, bias = loop.parameters()
    return weight.numpy(), bias.numpy(), np.asarray(loop.loss)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("form", [BatchedByHand, BatchedTuned, ObjectPerNode])
def test_forms_agree(form: type[Loop], optimizer: str) -> None:
    expected = _after_two_rounds(BatchedAutograd, optimizer=optimizer)
    actual = _after_two_rounds(form, optimizer=optimizer)
    for ours, theirs in zip(actual, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10)


def test_rounds_change_parameters() -> None:
    weight, bias, loss = _after_two_rounds(BatchedByHand)
    later = BatchedByHand(**SHAPE, dtype="float64")
    later.run(2)
    assert np.isfinite(loss)
    assert loss != later.loss
    assert not np.array_equal(weight, later.parameters()[0])
    assert not np.array_equal(bias, later.parameters()[1])


def test_a_step_follows_the_formulas_for_one_node() -> None:
    loop = BatchedByHand(**SHAPE, dtype="float64")
    node, (rows, peers) = 11, loop._draw()
    weight, bias = (own.numpy().copy() for own in loop.parameters())
    loop._step(rows)
    x, positives, negatives = loop.x[node].numpy(), rows[node, :4].numpy(), rows[node, 4:].numpy()

    def loss(w: np.ndarray, b: np.ndarray) -> float:
        z = np.tanh(w.T @ x + b)
        return float(np.logaddexp(0, -(positives @ z)).mean() + np.logaddexp(0, negatives @ z).mean())

    slopes = np.empty((6, 6))
    for place in np.ndindex(6, 6):
        nudge = np.zeros((6, 6))
        nudge[place] = 1e-6
        slopes[place] = (loss(weight[node] + nudge, bias[node]) - loss(weight[node] - nudge, bias[node])) / 2e-6
    stepped = loop.parameters()[0].numpy().copy()
    np.testing.assert_allclose(stepped[node], weight[node] - 0.1 * slopes, atol=1e-8)

    loop._merge(peers)
    expected = (stepped + stepped[peers.numpy()]) / 2
    np.testing.assert_allclose(loop.parameters()[0].numpy(), expected, atol=1e-12)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="positives need as many neighbours"):
        BatchedByHand(**SHAPE | {"degree": 3})
    with pytest.raises(ValueError, match="adagrad"):
        BatchedByHand(**SHAPE, optimizer="adagrad")
