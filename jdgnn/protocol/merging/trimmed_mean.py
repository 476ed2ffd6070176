"""The trimmed mean, number by number."""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jdgnn.protocol.arguments import checked_whole
from jdgnn.protocol.merging.merge_rule import MergeRule
from jdgnn.protocol.model import Model, Received


def trimmed_mean(num_trimmed: int | jax.Array = 1) -> MergeRule:
    """The mean of own and received numbers without the largest and smallest, number by number; the age is the largest.

    Of n numbers, b = `num_trimmed` are left out at either end, but at most (n − 1) / 2, rounded down; then the result
    is the median. With an inbox of one nothing can be left out, and the result is the mean of two. Non-finite numbers
    count as the largest. With b = 0 the result is the mean of all numbers.

    Source: Yin, Chen, Ramchandran & Bartlett, "Byzantine-Robust Distributed Learning: Towards Optimal Statistical
    Rates", ICML 2018.

    Args:
      num_trimmed: b, the count left out at either end.

    Returns:
      The merge rule.

    Raises:
      InputError: `num_trimmed` is not a whole number of at least 0.

    Example:
      >>> import jax.numpy as jnp
      >>> from jdgnn import merging
      >>> received = merging.Received(jnp.array([2.0, 90.0]), jnp.array([4, 5]), jnp.ones(2, bool), jnp.ones(2, int))
      >>> merged = trimmed_mean().merge_all(merging.Model(jnp.float32(0), jnp.int32(3)), received)
      >>> float(merged.params), int(merged.age)
      (2.0, 5)
    """
    return MergeRule(merge_all=Partial(_merge_all, num_trimmed=checked_whole("num_trimmed", num_trimmed)))


def _merge_all(own: Model, received: Received, *, num_trimmed: int | jax.Array) -> Model:
    def of_leaf(here: jax.Array, there: jax.Array, carried: jax.Array) -> jax.Array:
        mask = carried & received.mask.reshape(-1, *(1,) * here.ndim)
        return _trimmed(here, there, jnp.broadcast_to(mask, there.shape), num_trimmed)

    carried = received.carried
    if carried is None:
        carried = jax.tree.map(lambda _: jnp.bool_(True), own.params)
    age = jnp.maximum(own.age, jnp.max(jnp.where(received.mask, received.age, 0)))
    return own._replace(params=jax.tree.map(of_leaf, own.params, received.params, carried), age=age)


def _trimmed(own: jax.Array, received: jax.Array, mask: jax.Array, num_trimmed: int | jax.Array) -> jax.Array:
    """Trimmed mean of own numbers [...] and of those received [M, ...] where the mask is True."""
    is_absent = jnp.concatenate([jnp.zeros_like(own, bool)[None], ~mask])
    values = jnp.concatenate([own[None], received])
    values = jnp.where(jnp.isfinite(values), values, jnp.inf)
    _, ordered = jax.lax.sort((is_absent.astype(jnp.int32), values), dimension=0, num_keys=2)  # those absent last
    count = 1 + jnp.sum(mask, axis=0, dtype=jnp.int32)
    trimmed = jnp.minimum(num_trimmed, (count - 1) // 2)
    place = jnp.arange(values.shape[0], dtype=jnp.int32).reshape(-1, *(1,) * own.ndim)
    is_kept = (place >= trimmed) & (place < count - trimmed)
    # Differences from one in the middle, which is always kept, are averaged: so numbers that are equal in all models
    # stay as they are, bit for bit, and no extreme takes part, not even the node's own.
    middle = jnp.take_along_axis(ordered, ((count - 1) // 2)[None], axis=0)[0]
    total = jnp.sum(jnp.where(is_kept, ordered - middle, 0), axis=0)
    return middle + total / (count - 2 * trimmed).astype(own.dtype)
