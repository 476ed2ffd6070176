"""Exact counts of messages; totals pass 2³² in a long run, so each is kept in two words."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jax.typing import ArrayLike
from numpy.typing import NDArray

KINDS = ("embedding", "push", "model")
OUTCOMES = ("sent", "delivered", "displaced")


@struct.dataclass(kw_only=True)
class Accounts:
    """How many messages of each kind came to each outcome since the start.

    An embedding or push is *delivered* when it is stored, a model when it is merged. A push or model is *displaced*
    when newer ones of the same tick take all the room before it could be used. What was sent and is neither is in
    flight.
    """

    words: jax.Array  # [kinds, outcomes, 2] uint32: high and low word

    def total(self, kind: str, outcome: str) -> int:
        """The exact number of messages of a kind that came to an outcome.

        Args:
          kind: `embedding`, `push` or `model`.
          outcome: `sent`, `delivered` or `displaced`.

        Returns:
          The count.
        """
        return int(whole(self.words)[KINDS.index(kind), OUTCOMES.index(outcome)])


def no_accounts() -> Accounts:
    """Accounts before anything was sent."""
    return Accounts(words=jnp.zeros((len(KINDS), len(OUTCOMES), 2), jnp.uint32))


def book(accounts: Accounts, kind: str, outcome: str, count: jax.Array) -> Accounts:
    """Adds `count`, of less than 2³¹ messages, to one account."""
    index = (KINDS.index(kind), OUTCOMES.index(outcome))
    return Accounts(words=accounts.words.at[index].set(add_words(accounts.words[index], count)))


def add_words(words: jax.Array, count: jax.Array) -> jax.Array:
    """Adds counts [...] to numbers kept as high and low word [..., 2] uint32, carrying over."""
    low = words[..., 1] + count.astype(jnp.uint32)
    return jnp.stack([words[..., 0] + (low < words[..., 1]).astype(jnp.uint32), low], axis=-1)


def whole(words: ArrayLike) -> NDArray[np.int64]:
    """Reads numbers kept as high and low word [..., 2]: [...] int64."""
    high, low = np.moveaxis(np.asarray(words, np.int64), -1, 0)
    return (high << 32) + low
