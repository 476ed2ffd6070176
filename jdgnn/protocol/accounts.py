"""Exact counts of messages, per node; totals pass 2³² in a long run, so each is kept in two words.

Axes: N nodes.
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
    """How many messages of each kind came to each outcome at each node since the start.

    What was *sent* and what was *dropped* on the way is booked at its sender. At its receiver a message ends as

    - *delivered*: stored in a mailbox or a sample buffer; merged, for a model;
    - *to_offline*: it arrived while the node was offline, or had not joined;
    - *superseded*: an embedding that arrived after, or with, a newer one of the same neighbour;
    - *evicted*: newer pushes of the same tick, or newer models, took its room before it could be used (a model for
      which there was no place when it was sent is booked at its sender);
    - *rejected*: a model that was not accepted for merging.

    What was sent and is none of these is in flight, or a model waiting in an inbox.
    """

    words: jax.Array  # [N, kinds, outcomes, 2] uint32: high and low word

    def total(self, kind: str, outcome: str) -> int:
        """The exact number of messages of a kind that came to an outcome, over all nodes.

        Args:
          kind: `embedding`, `push` or `model`.
          outcome: one of those above, or `sent`.

        Returns:
          The count.
        """
        return int(whole(self.words[:, KINDS.index(kind), OUTCOMES.index(outcome)]).sum())


def no_accounts(num_nodes: int) -> Accounts:
    """Accounts before anything was sent."""
    return Accounts(words=jnp.zeros((num_nodes, len(KINDS), len(OUTCOMES), 2), jnp.uint32))


def book(accounts: Accounts, counts: Counts) -> Accounts:
    """Adds the messages of one tick."""
    num_nodes = accounts.words.shape[0]
    nothing = jnp.zeros(num_nodes, jnp.int32)
    increments = [[counts.get((kind, outcome), nothing) for outcome in OUTCOMES] for kind in KINDS]
    stacked = jnp.stack([jnp.stack(row, axis=-1) for row in increments], axis=1)
    return Accounts(words=add_words(accounts.words, stacked))


def together(*counts: Counts) -> Counts:
    """Counts of several stages as one."""
    total: Counts = {}
    for stage in counts:
        for key, count in stage.items():
            total[key] = total[key] + count if key in total else count
    return total


def sent_and_dropped(kind: str, is_sent: jax.Array, dropped: jax.Array | None) -> Counts:
    """How many of its candidates [N, slots] each node has sent, and how many of these are dropped; None for none."""
    counts = {(kind, "sent"): jnp.sum(is_sent, axis=1, dtype=jnp.int32)}
    if dropped is not None:
        counts[kind, "dropped"] = jnp.sum(is_sent & dropped, axis=1, dtype=jnp.int32)
    return counts


def add_words(words: jax.Array, count: jax.Array) -> jax.Array:
    """Adds counts [...] to numbers kept as high and low word [..., 2] uint32, carrying over."""
    low = words[..., 1] + count.astype(jnp.uint32)
    return jnp.stack([words[..., 0] + (low < words[..., 1]).astype(jnp.uint32), low], axis=-1)


def byte_sums(words: jax.Array) -> jax.Array:
    """Sums numbers kept in two words over the node axis without overflow, for up to 2²⁴ nodes.

    Args:
      words: high and low word [N, ..., 2] uint32.

    Returns:
      Sums of each byte of the words, lowest first [..., 2, 4] uint32; `whole_sum` reads them.
    """
    shifts = jnp.arange(0, 32, 8, dtype=jnp.uint32)
    return jnp.sum((words[..., None] >> shifts) & jnp.uint32(255), axis=0, dtype=jnp.uint32)


def whole(words: ArrayLike) -> NDArray[np.int64]:
    """Reads numbers kept as high and low word [..., 2]: [...] int64."""
    high, low = np.moveaxis(np.asarray(words, np.int64), -1, 0)
    return (high << 32) + low


def whole_sum(sums: ArrayLike) -> NDArray[np.int64]:
    """Reads what `byte_sums` gives [..., 2, 4]: [...] int64."""
    weights = 1 << np.array([[32, 40, 48, 56], [0, 8, 16, 24]], np.int64)
    return np.sum(np.asarray(sums, np.int64) * weights, axis=(-2, -1))
