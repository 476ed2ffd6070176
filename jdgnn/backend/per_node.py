"""From one node to all nodes: the one place with `vmap`."""

from collections.abc import Callable
from typing import Any

import jax


def per_node(function: Callable[..., Any], *, shared: tuple[int, ...] = ()) -> Callable[..., Any]:
    """Maps a function of one node over all nodes; arrays have the node axis first.

    Args:
      function: what one node does.
      shared: numbers of the positional arguments that are the same for all nodes.

    Returns:
      The same for all nodes.

    Example:
      >>> import jax.numpy as jnp
      >>> per_node(lambda a, b: a + b, shared=(1,))(jnp.arange(3), 10).tolist()
      [10, 11, 12]
    """

    def mapped(*arguments: Any) -> Any:
        in_axes = tuple(None if i in shared else 0 for i in range(len(arguments)))
        return jax.vmap(function, in_axes=in_axes)(*arguments)

    return mapped
