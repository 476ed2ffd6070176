"""Krum: the models in the middle of the inbox."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from jdgnn.protocol.arguments import checked_whole
from jdgnn.protocol.merging.merge_rule import MergeRule, inbox_mean_rule
from jdgnn.protocol.model import Received


def krum(num_attackers: int | jax.Array = 1, num_chosen: int | jax.Array = 1) -> MergeRule:
    """The node's model becomes the mean of those models, its own included, that lie closest to their neighbours.

    Of n models, the node's own one included, each is scored by the sum of its squared distances to the n − f − 2
    closest others (at least one), where f is `num_attackers`. The models with the smallest scores are chosen; ties are
    broken by inbox order, the node's own model first. If one is chosen, the result is that model, bit for bit. The
    guarantees of the paper need n > 2f + 2, that is an inbox of at least 2f + 2 models. The age is the largest of the
    chosen.

    Source: Blanchard, El Mhamdi, Guerraoui & Stainer, "Machine Learning with Adversaries: Byzantine Tolerant Gradient
    Descent", NeurIPS 2017.

    Args:
      num_attackers: f, the number of models that may be arbitrary.
      num_chosen: the number of models in the mean, at most n; more than one is the paper's multi-Krum.

    Returns:
      The merge rule.

    Raises:
      InputError: a number is not whole, or is too small.

    Example:
      >>> import jax.numpy as jnp
      >>> from jdgnn import merging
      >>> ones = jnp.ones(3)
      >>> received = merging.Received(jnp.array([1.0, 1.1, 90.0]), jnp.array([4, 5, 6]), ones > 0, ones)
      >>> merged = krum().merge_all(merging.Model(jnp.float32(0), jnp.int32(3)), received)
      >>> float(merged.params), int(merged.age)
      (1.0, 4)
    """
    numbers = {
        "num_attackers": checked_whole("num_attackers", num_attackers),
        "num_chosen": checked_whole("num_chosen", num_chosen, minimum=1),
    }
    return inbox_mean_rule(Partial(_weigh_all, **numbers))


def _weigh_all(
    products: jax.Array,
    own_square: jax.Array,
    age: jax.Array,
    received: Received,
    *,
    num_attackers: int | jax.Array,
    num_chosen: int | jax.Array,
) -> tuple[jax.Array, jax.Array]:
    del own_square
    is_there = jnp.append(True, received.mask)
    position = jnp.arange(is_there.size, dtype=jnp.int32)
    num_models = jnp.sum(is_there, dtype=jnp.int32)
    squares = _squared_distances(products)
    is_other = is_there[None] & (position[:, None] != position)
    closest = jnp.sort(jnp.where(is_other, squares, jnp.inf), axis=1)
    num_closest = jnp.clip(num_models - num_attackers - 2, 1, jnp.maximum(num_models - 1, 1))
    score = jnp.sum(jnp.where(position < num_closest, closest, 0), axis=1)
    place = jnp.argsort(jnp.argsort(jnp.where(is_there, score, jnp.inf), stable=True), stable=True)
    num_taken = jnp.minimum(num_chosen, num_models)
    is_chosen = is_there & (place.astype(jnp.int32) < num_taken)
    ages: Any = jnp.append(age, received.age)
    weights = jnp.where(is_chosen, 1 / num_taken.astype(products.dtype), 0)
    return weights[1:], jnp.max(jnp.where(is_chosen, ages, 0))


def _squared_distances(products: jax.Array) -> jax.Array:
    """Squared distances of all models [M+1, M+1], the own one first, from inner products of differences from it."""
    products = jnp.pad(products, ((1, 0), (1, 0)))
    squares = jnp.diag(products)
    return jnp.maximum(squares[:, None] + squares - 2 * products, 0)
