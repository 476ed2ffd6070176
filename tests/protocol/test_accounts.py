"""Counts stay exact past 32 bits."""

import jax.numpy as jnp

from jdgnn.protocol.accounts import add_words, book, no_accounts, whole


def test_words_carry_over() -> None:
    words = jnp.array([0, 2**32 - 3], jnp.uint32)
    assert int(whole(add_words(words, jnp.int32(2)))) == 2**32 - 1
    assert int(whole(add_words(words, jnp.int32(3)))) == 2**32
    assert int(whole(add_words(words, jnp.int32(2**31 - 1)))) == 2**32 - 3 + 2**31 - 1


def test_accounts_are_kept_apart() -> None:
    accounts = book(no_accounts(), "push", "sent", jnp.int32(5))
    accounts = book(accounts, "push", "sent", jnp.int32(7))
    accounts = book(accounts, "model", "displaced", jnp.int32(2))
    assert accounts.total("push", "sent") == 12
    assert accounts.total("model", "displaced") == 2
    assert accounts.total("embedding", "sent") == 0
