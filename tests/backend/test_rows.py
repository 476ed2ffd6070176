"""Rows treated some at a time are treated as all at once."""

from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jdgnn
from jdgnn import clocks
from jdgnn.backend import rows
from tests.emulation.stepping import in_double
from tests.seldom import mostly_long
from tests.support import assert_same_bits, leaves, small_emulator, small_network

NETWORK = small_network(50)
ASLEEP = jdgnn.availability(clocks.bernoulli(0.5))


@pytest.mark.parametrize("count", [1, 2, rows.NUM_BLOCKS - 1, rows.NUM_BLOCKS, 2 * rows.NUM_BLOCKS + 1, 1009])
def test_blocks_cover_every_row_once(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "FEWEST_ROWS", 1)
    held = jnp.arange(count * 3, dtype=jnp.float32).reshape(count, 3)
    given = (jnp.arange(count, dtype=jnp.int32), jnp.ones((count, 2)))

    def treat(held: jax.Array, given: Any) -> tuple[jax.Array, Any]:
        return 2 * held + given[1][:, :1], {"number": given[0], "sum": held.sum(axis=1) + given[1].sum(axis=1)}

    wanted = treat(held, given)
    assert_same_bits(jax.jit(lambda *rest: rows.by_block(treat, *rest))(held, given), wanted)
    assert_same_bits(jax.jit(lambda *rest: rows.some_at_a_time(lambda all_: treat(*all_), rest))(held, given), wanted)


SETTINGS: dict[str, dict[str, Any]] = {
    "in step": {},
    "asleep": {"availability": ASLEEP},
    "compact": {"availability": ASLEEP, "active_fraction": 0.6},
}
KERNELS = (None, "plain")


@pytest.mark.parametrize(("name", "how"), mostly_long(product(SETTINGS, KERNELS), [("in step", None)]))
def test_a_run_by_blocks_is_the_run(name: str, how: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def outcome() -> jdgnn.State:
        jax.clear_caches()
        emulator = small_emulator(**{"gossip": jdgnn.gossip(capacity=1), "backend": how} | SETTINGS[name])
        network = in_double(NETWORK)
        return jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 12)[0]

    with jax.enable_x64(True):
        whole = outcome()
        monkeypatch.setattr(rows, "FEWEST_ROWS", 1)
        parts = outcome()
        jax.clear_caches()
        for first, second in zip(leaves(parts), leaves(whole), strict=True):
            assert_allclose(np.asarray(first, float), np.asarray(second, float), rtol=1e-9, atol=1e-12)
