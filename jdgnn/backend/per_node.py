"""From one node to all nodes: the only place with `vmap`."""

from collections.abc import Callable
from typing import Any

import jax


def per_node(function: Callable[..., Any], *, shared: tuple[int, ...] = ()) -> Callable[..., Any]:
    """Maps a function over all nodes, node axis first; positional arguments numbered in `shared` are the same for all.

    Example:
      >>> import jax.numpy as jnp
      >>> per_node(lambda a, b: a + b, shared=(1,))(jnp.arange(3), 10).tolist()
      [10, 11, 12]
    """

    def mapped(*arguments: Any) -> Any:
        in_axes = tuple(None if i in shared else 0 for i in range(len(arguments)))
        return jax.vmap(function, in_axes=in_axes)(*arguments)

    return mapped
