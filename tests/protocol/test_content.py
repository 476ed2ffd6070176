"""What model messages carry: every content by its contract, and numbers worked out by hand."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jdgnn
from jdgnn.parts import as_argument
from jdgnn.protocol.content import CONTENTS, Content, top_k, whole
from jdgnn.protocol.content.content import message_shapes
from tests.samples import PARTS
from tests.support import assert_same_bits

ENCODED = {name: made for name in CONTENTS if (made := PARTS["content"][name](0)) is not None}


def model(seed: int, dtype: Any = jnp.float32) -> Any:
    """A model with a matrix, a vector, a scalar and an array without numbers."""
    shapes = {"kernel": (5, 4), "bias": (3,), "scale": (), "nothing": (0, 2)}
    keys = jax.random.split(jax.random.key(seed), len(shapes))
    return {name: jax.random.normal(key, shape, dtype) for key, (name, shape) in zip(keys, shapes.items(), strict=True)}


def shapes(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree)


def test_the_whole_model_needs_no_content() -> None:
    assert whole() is None
    assert jdgnn.gossip(content=whole()).content is None


@pytest.mark.parametrize("name", ENCODED)
def test_a_receiver_keeps_what_is_not_carried(name: str) -> None:
    content: Content = as_argument(ENCODED[name])
    sent, own = model(0), model(1)
    memory = content.init(sent)
    after, message = jax.jit(content.encode)(memory, sent, jax.random.key(2), jnp.int32(0))
    decoded, is_carried = jax.jit(content.decode)(message, own)
    assert shapes(after) == shapes(memory)
    assert shapes(message) == shapes(message_shapes(content, sent))
    assert shapes(decoded) == shapes(own)
    assert shapes(is_carried) == jax.tree.map(lambda leaf: (leaf.shape, np.dtype(bool)), own)
    assert_same_bits(jax.tree.map(partial(jnp.where), is_carried, own, decoded), own)
    used = content.num_bytes and content.num_bytes(message)
    assert used is None or int(used) <= sum(leaf.nbytes for leaf in jax.tree.leaves(message))


def carried(params: Any, content: Content, memory: Any = ()) -> tuple[Any, Any, Any]:
    """What is remembered, what a node without a model sees of a message, and which numbers are carried."""
    memory, message = content.encode(memory, params, jax.random.key(0), jnp.int32(0))
    return memory, *content.decode(message, jax.tree.map(jnp.zeros_like, params))


def test_exactly_so_many_numbers_are_carried_and_of_equal_ones_the_first() -> None:
    _, sent, is_carried = carried(jnp.array([[1.0, -2.0, 2.0], [0.0, 2.0, -1.0]]), top_k(1 / 3))
    assert sent.tolist() == [[0, -2, 2], [0, 0, 0]]
    assert is_carried.tolist() == [[False, True, True], [False] * 3]
    for share in (0.01, 0.3, 0.77, 1.0):
        counts = jax.tree.map(jnp.sum, carried(model(0), top_k(share))[2])
        assert counts == {
            "kernel": max(1, round(20 * share)),
            "bias": max(1, round(3 * share)),
            "scale": 1,
            "nothing": 0,
        }
    assert_same_bits(carried(model(0), top_k(1.0))[1], model(0))


def test_a_message_takes_the_bytes_of_its_numbers_and_places() -> None:
    def num_bytes(share: float, size: int) -> int:
        found = jax.tree.leaves(message_shapes(top_k(share), jax.ShapeDtypeStruct((size,), jnp.float32)))
        return sum(leaf.size * leaf.dtype.itemsize for leaf in found)

    assert [num_bytes(0.5, 100), num_bytes(1.0, 100), num_bytes(0.5, 2**16)] == [50 * 6, 100 * 4, 2**15 * 8]


def test_error_feedback_loses_nothing() -> None:
    with jax.enable_x64():
        content, total, sent = top_k(0.2, error_feedback=True), model(0, jnp.float64), model(0, jnp.float64)
        memory = content.init(total)
        total = sent = jax.tree.map(jnp.zeros_like, total)
        for seed in range(12):
            params = model(seed, jnp.float64)
            memory, message, _ = carried(params, content, memory)
            total, sent = (jax.tree.map(jnp.add, *pair) for pair in ((total, params), (sent, message)))
        jax.tree.map(partial(np.testing.assert_allclose, atol=1e-12), jax.tree.map(jnp.add, memory, sent), total)
        assert max(float(jnp.abs(leaf).max(initial=0)) for leaf in jax.tree.leaves(memory)) > 1
