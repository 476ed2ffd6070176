"""The sign-flip attack."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import ArrayLike

from jdgnn.checks import check_number
from jdgnn.protocol.attacks.attack import Attack


def sign_flip(scale: ArrayLike = 1.0) -> Attack:
    """An attacker sends its model with flipped sign, times a scale: −scale · θ.

    Source: Li, Xu, Chen, Giannakis & Ling, "RSA: Byzantine-Robust Stochastic Aggregation Methods for Distributed
    Learning from Heterogeneous Datasets", AAAI 2019; here for models in place of gradients.

    Args:
      scale: factor of at least 0.

    Returns:
      The attack, for `jdgnn.attackers`.

    Raises:
      InputError: the scale is not a number of at least 0.

    Example:
      >>> sign_flip(2.0).corrupt({"bias": jnp.array([1.0, -3.0])}, None, 0)["bias"].tolist()
      [-2.0, 6.0]
    """
    return Attack(corrupt=Partial(_corrupt, scale=check_number("scale", scale, minimum=0)))


def _corrupt(params: Any, key: jax.Array, wakes: jax.Array, *, scale: ArrayLike) -> Any:
    del key, wakes
    return jax.tree.map(lambda leaf: -jnp.asarray(scale, leaf.dtype) * leaf, params)
