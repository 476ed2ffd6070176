"""Counts stay exact past 32 bits."""

import jax.numpy as jnp
import numpy as np

from jdgnn.protocol.accounts import KINDS, OUTCOMES, add_words, book, byte_sums, no_accounts, whole, whole_sum


def test_words_carry_over() -> None:
    words = jnp.array([0, 2**32 - 3], jnp.uint32)
    assert int(whole(add_words(words, jnp.int32(2)))) == 2**32 - 1
    assert int(whole(add_words(words, jnp.int32(3)))) == 2**32
    assert int(whole(add_words(words, jnp.int32(2**31 - 1)))) == 2**32 - 3 + 2**31 - 1


def test_accounts_are_kept_apart_by_node_kind_and_outcome() -> None:
    accounts = book(no_accounts(3), {("push", "sent"): jnp.array([5, 0, 1], jnp.int32)})
    more = {("push", "sent"): jnp.array([0, 0, 7], jnp.int32), ("model", "evicted"): jnp.array([0, 2, 0], jnp.int32)}
    accounts = book(accounts, more)
    expected = np.zeros((3, len(KINDS), len(OUTCOMES)), int)
    expected[:, KINDS.index("push"), OUTCOMES.index("sent")] = [5, 0, 8]
    expected[:, KINDS.index("model"), OUTCOMES.index("evicted")] = [0, 2, 0]
    np.testing.assert_array_equal(whole(accounts.words), expected)
    assert accounts.total("push", "sent") == 13
    assert accounts.total("model", "evicted") == 2
    assert accounts.total("embedding", "sent") == 0


def test_sums_over_nodes_are_exact() -> None:
    words = np.random.default_rng(0).integers(0, 2**32, (1000, 3, 2), np.uint32)
    words[:, :, 0] >>= 12  # so that the sums stay below 2⁶³
    np.testing.assert_array_equal(whole_sum(byte_sums(jnp.asarray(words))), whole(words).sum(axis=0))
