"""Push-sum: means that do not depend on who is sent more."""

from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.protocol.merging.inner_products import combined
from jdgnn.protocol.merging.merge_rule import MergeRule
from jdgnn.protocol.model import Model, Received


def push_sum() -> MergeRule:
    """The mean of own and received models, weighted by the weights they carry; the age is the largest.

    A node's weight is 1 at first. When it sends models, it divides its weight evenly among itself and them; when it
    merges, it adds up the weights. As long as no message is dropped, evicted or rejected, the sum over nodes and
    messages of weight times parameters changes only by training, so that nodes agree on the mean of their initial
    models, no matter who is sent more. Messages that do not arrive take their weight with them, and the mean is then
    biased: give the inbox enough `capacity`. Weights that have all decayed to zero count equally.

    Source: Kempe, Dobra & Gehrke, "Gossip-Based Computation of Aggregate Information", FOCS 2003; Assran, Loizou,
    Ballas & Rabbat, "Stochastic Gradient Push for Distributed Deep Learning", ICML 2019.

    Example:
      >>> import jax.numpy as jnp
      >>> from jdgnn import merging
      >>> received = merging.Received(
      ...     jnp.array([4.0]), jnp.array([5]), jnp.ones(1, bool), jnp.ones(1, int), weight=jnp.array([0.5]))
      >>> merged = push_sum().merge_all(merging.Model(jnp.float32(0), jnp.int32(3), jnp.float32(0.5)), received)
      >>> float(merged.params), int(merged.age), float(merged.weight)
      (2.0, 5, 1.0)
    """
    return MergeRule(merge_all=_merge_all, divide=_divide)


def _merge_all(own: Model, received: Received) -> Model:
    assert own.weight is not None
    assert received.weight is not None
    given = jnp.where(received.mask, received.weight, 0)
    total: Any = own.weight + jnp.sum(given)
    age = jnp.maximum(own.age, jnp.max(jnp.where(received.mask, received.age, 0)))
    alike = received.mask.astype(total.dtype) / (1 + jnp.sum(received.mask, dtype=total.dtype))
    share = jnp.where(total > 0, given / jnp.where(total > 0, total, 1), alike)
    return Model(combined(own.params, received.params, share), age, total)


def _divide(weight: jax.Array, num_sent: jax.Array) -> jax.Array:
    return weight / (1 + num_sent).astype(weight.dtype)
