"""With which probability a received model is merged."""

import jax.numpy as jnp
import numpy as np

from jdgnn.parts import as_argument
from jdgnn.protocol.acceptance import always, degree
from tests.protocol.part_support import drawn


def test_always_asks_nothing() -> None:
    assert always().probability is None
    assert as_argument(always()).probability is None


def test_hubs_do_not_take_more_models_than_others() -> None:
    sender = jnp.array([2, 8, 0, 0, 5, 1, 10**6], jnp.int32)
    receiver = jnp.array([8, 2, 0, 4, 0, 3, 10**6], jnp.int32)
    probs = drawn(lambda rule, *ends: rule.probability(*ends), as_argument(degree()), sender, receiver)
    assert probs.dtype == jnp.float32
    np.testing.assert_array_equal(probs, np.array([0.25, 1, 1, 0, 1, 1 / 3, 1], np.float32))
