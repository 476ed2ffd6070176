"""Exact counts of messages per node.

Totals exceed 2³² in a long run, and JAX has no 64-bit integers by default, so each is kept in two 32-bit words. Axes:
N nodes.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jax.typing import ArrayLike
from numpy.typing import NDArray

KINDS = ("embedding", "push", "model")
OUTCOMES = ("sent", "delivered", "dropped", "to_offline", "superseded", "evicted", "rejected")

Counts = dict[tuple[str, str], jax.Array]
"""Messages of one tick by kind and outcome, each [N] int32."""


@struct.dataclass(kw_only=True)
class Accounts:
    """Counts the messages of each kind and outcome at each node since the start.

    Messages *sent* and *dropped* on the way are counted at their sender. At its receiver a message ends as

    - *delivered*: stored in a mailbox or a sample buffer; merged, for a model;
    - *to_offline*: it arrived while the node was offline, or had not joined;
    - *superseded*: an embedding that arrived after, or with, a newer one of the same neighbour;
    - *evicted*: newer pushes of the same tick, or newer models, took its place before it could be used (a model for
      which there was no place when it was sent is counted at its sender);
    - *rejected*: a model that was not accepted for merging.

    A sent message without an outcome is in flight, or a model waiting in an inbox.
    """

    words: jax.Array  # [N, kinds, outcomes, 2] uint32: high and low word

    def total(self, kind: str, outcome: str) -> int:
        """Counts the messages of a kind with an outcome exactly, over all nodes.

        Args:
          kind: `embedding`, `push` or `model`.
          outcome: `sent`, or one of the outcomes above.

        Returns:
          The count.
        """
        return int(whole(self.words[:, KINDS.index(kind), OUTCOMES.index(outcome)]).sum())


def no_accounts(num_nodes: int) -> Accounts:
    """Accounts before any message was sent."""
    return Accounts(words=jnp.zeros((num_nodes, len(KINDS), len(OUTCOMES), 2), jnp.uint32))


def book(accounts: Accounts, counts: Counts) -> Accounts:
    """Adds the messages of one tick."""
    num_nodes = accounts.words.shape[0]
    nothing = jnp.zeros(num_nodes, jnp.int32)
    increments = [[counts.get((kind, outcome), nothing) for outcome in OUTCOMES] for kind in KINDS]
    stacked = jnp.stack([jnp.stack(row, axis=-1) for row in increments], axis=1)
    return Accounts(words=add_words(accounts.words, stacked))


def together(*counts: Counts) -> Counts:
    """Adds up the counts of several stages."""
    total: Counts = {}
    for stage in counts:
        for key, count in stage.items():
            total[key] = total[key] + count if key in total else count
    return total


def sent_and_dropped(kind: str, is_sent: jax.Array, dropped: jax.Array | None) -> Counts:
    """Counts the candidates [N, slots] that each node sent, and those of them that are dropped; None for none."""
    counts = {(kind, "sent"): jnp.sum(is_sent, axis=1, dtype=jnp.int32)}
    if dropped is not None:
        counts[kind, "dropped"] = jnp.sum(is_sent & dropped, axis=1, dtype=jnp.int32)
    return counts


def add_words(words: jax.Array, count: jax.Array) -> jax.Array:
    """Adds counts [...] to numbers kept as high and low word [..., 2] uint32, with carry."""
    low = words[..., 1] + count.astype(jnp.uint32)
    return jnp.stack([words[..., 0] + (low < words[..., 1]).astype(jnp.uint32), low], axis=-1)


def byte_sums(words: jax.Array) -> jax.Array:
    """Sums numbers kept in two words [N, ..., 2] over nodes, byte by byte, lowest first: [..., 2, 4] uint32."""
    # A sum of words could overflow; a sum of bytes cannot, for up to 2²⁴ nodes.
    shifts = jnp.arange(0, 32, 8, dtype=jnp.uint32)
    return jnp.sum((words[..., None] >> shifts) & jnp.uint32(255), axis=0, dtype=jnp.uint32)


def whole(words: ArrayLike) -> NDArray[np.int64]:
    """Reads numbers kept as high and low word [..., 2]: [...] int64."""
    high, low = np.moveaxis(np.asarray(words, np.int64), -1, 0)
    return (high << 32) + low


def whole_sum(sums: ArrayLike) -> NDArray[np.int64]:
    """Reads the result of `byte_sums` [..., 2, 4]: [...] int64."""
    weights = 1 << np.array([[32, 40, 48, 56], [0, 8, 16, 24]], np.int64)
    return np.sum(np.asarray(sums, np.int64) * weights, axis=(-2, -1))
