"""What emulators make of contents: bytes, memories, and what they come to where all is carried."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jdgnn
from jdgnn.emulation.start import message_bytes
from jdgnn.errors import InputError
from jdgnn.protocol.transport import ModelPool
from tests.emulation.stepping import in_double
from tests.support import leaves, small_emulator, small_network

NETWORK = small_network()
LATE = jdgnn.link(delay=jdgnn.links.uniform(0, 2))


def emulator(content: jdgnn.Content | None, **changes: Any) -> jdgnn.Emulator:
    gossip = {"capacity": 2, "fanout": 2, "link": LATE} | changes.pop("gossip", {})
    return small_emulator(initial="independent", gossip=jdgnn.gossip(content=content, **gossip), **changes)


def test_what_is_sent_counts_as_it_is_encoded() -> None:
    dense, sparse = (emulator(content).shapes(NETWORK) for content in (None, jdgnn.content.top_k(0.25)))
    assert message_bytes(sparse)[:2] == message_bytes(dense)[:2]
    assert isinstance(sparse.models, ModelPool)
    messages = jax.tree.leaves(sparse.models.params)
    assert message_bytes(sparse)[2] == 4 + sum(leaf.size * leaf.dtype.itemsize // len(leaf) for leaf in messages)
    assert message_bytes(sparse)[2] < message_bytes(dense)[2] / 2
    assert message_bytes(emulator(jdgnn.content.top_k(1.0)).shapes(NETWORK)) == message_bytes(dense)
    assert isinstance(emulator(jdgnn.content.top_k(0.5), gossip={"link": None}).shapes(NETWORK).models, ModelPool)


@pytest.mark.long
def test_a_content_that_carries_everything_changes_nothing() -> None:
    with jax.enable_x64():
        network = in_double(NETWORK)
        ends = [
            jdgnn.run(made, made.init(jax.random.key(5), network), network, 12)[0]
            for made in (emulator(None, backend="plain"), emulator(jdgnn.content.top_k(1.0)))
        ]
        for name in ("params", "embeddings", "age", "accounts"):
            for expected, found in zip(*(leaves(getattr(end, name)) for end in ends), strict=True):
                assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_a_memory_is_kept_saved_and_gone_on_with(tmp_path: Path) -> None:
    made = emulator(jdgnn.content.top_k(0.25, error_feedback=True), gossip={"schedule": jdgnn.schedules.every(8)})
    start = made.init(jax.random.key(0), NETWORK)
    once, _ = jdgnn.run(made, jdgnn.copy(start), NETWORK, 1)
    later, _ = jdgnn.run(made, jdgnn.copy(once), NETWORK, 3)
    assert any(leaf.any() for leaf in leaves(once.content))  # all have sent in their first wake,
    assert all(
        np.array_equal(*pair) for pair in zip(leaves(once.content), leaves(later.content), strict=True)
    )  # and once
    jdgnn.save(tmp_path / "4", made, later, NETWORK)
    again = jdgnn.restore(tmp_path / "4", made, NETWORK)
    assert jdgnn.digest(again) == jdgnn.digest(later)
    for resumed, straight in zip(*(leaves(jdgnn.run(made, one, NETWORK, 6)[0]) for one in (again, later)), strict=True):
        np.testing.assert_array_equal(resumed, straight)


@pytest.mark.long
def test_parameters_in_bfloat16_are_encoded_as_float32() -> None:
    made = emulator(jdgnn.content.top_k(0.5, error_feedback=True), param_dtype="bfloat16")
    state, history = jdgnn.run(made, made.init(jax.random.key(0), NETWORK), NETWORK, 10)
    assert {leaf.dtype for leaf in jax.tree.leaves(state.content)} == {jnp.dtype("float32")}
    assert np.isfinite(history.norm_ratio).all()


PLAIN = jdgnn.content.top_k(0.5)
WRONG = {
    "encode.*pair": PLAIN._replace(encode=lambda memory, params, key, wakes: memory),
    "encode.*memory": PLAIN._replace(encode=lambda memory, params, key, wakes: (1.0, params)),
    "encode.*uint16": PLAIN._replace(encode=lambda memory, params, key, wakes: (memory, jnp.zeros(3, jnp.uint16))),
    "decode": PLAIN._replace(decode=lambda message, own: (own, own)),
    "init.*fails": PLAIN._replace(init=lambda params: params[5]),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_content_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(InputError, match=f"gossip.content.{wrong}"):
        emulator(WRONG[wrong]).init(jax.random.key(0), NETWORK)
